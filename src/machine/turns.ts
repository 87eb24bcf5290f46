// One thing after another, of those that must not overlap: the processor runs, or its code is written.

export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Does `work` when all that took a turn before has ended, well or not. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}
