// Z3, as WebAssembly (npm's z3-solver), through SMT-LIB text alone: what is asked can be read and given to any solver.

/** The part of z3-solver that is used here. Its eval_smtlib2_string reads a text that is gone by then: not to be used. */
interface Z3Module {
  init(): Promise<{
    Z3: {
      mk_config(): unknown
      mk_context(config: unknown): unknown
      del_context(context: unknown): void
      interrupt(context: unknown): void
      mk_solver(context: unknown): unknown
      solver_inc_ref(context: unknown, solver: unknown): void
      solver_dec_ref(context: unknown, solver: unknown): void
      solver_from_string(context: unknown, solver: unknown, text: string): void
      /** 1: satisfiable, -1: not, 0: unknown. */
      solver_check(context: unknown, solver: unknown): Promise<number>
      solver_get_model(context: unknown, solver: unknown): unknown
      model_to_string(context: unknown, model: unknown): string
    }
    em: { PThread: { terminateAllThreads(): void } }
  }>
}

export interface Solver {
  /** Whether the assertions of a script can hold together, found within so many milliseconds, and if so for what. */
  check(script: string, milliseconds: number): Promise<{ answer: 'sat' | 'unsat' | 'unknown'; model: string }>
  /** Its threads would keep the process alive. */
  close(): void
}

/** undefined where z3-solver is not installed. */
export async function openSolver(): Promise<Solver | undefined> {
  // By a variable: its types are not needed, and it may be missing where only the compiler is worked on.
  const name: string = 'z3-solver'
  let module: Z3Module
  try {
    module = (await import(name)) as Z3Module
  } catch {
    return undefined
  }
  const { Z3, em } = await module.init()
  let context = Z3.mk_context(Z3.mk_config())
  return {
    check: async (script, milliseconds) => {
      const solver = Z3.mk_solver(context)
      Z3.solver_inc_ref(context, solver)
      let late = false
      const timer = setTimeout(() => {
        late = true
        Z3.interrupt(context)
      }, milliseconds)
      try {
        Z3.solver_from_string(context, solver, script)
        const answer = await Z3.solver_check(context, solver)
        if (answer !== 1) return { answer: answer === 0 ? 'unknown' : 'unsat', model: '' }
        const model = Z3.model_to_string(context, Z3.solver_get_model(context, solver))
        return { answer: 'sat', model: model.trim().replaceAll(/\s+/g, ' ') }
      } finally {
        clearTimeout(timer)
        Z3.solver_dec_ref(context, solver)
        // An interrupt that came too late would end the next question.
        if (late) {
          Z3.del_context(context)
          context = Z3.mk_context(Z3.mk_config())
        }
      }
    },
    close: () => em.PThread.terminateAllThreads(),
  }
}

/** `proved`: for all inputs; `wrong`: with a counterexample; `unknown`: not within the time. */
export interface Verdict {
  readonly kind: 'proved' | 'wrong' | 'unknown'
  readonly message: string
}

/** Whether what `declarations` say makes `goal` true, found within so many milliseconds. */
export async function prove(
  solver: Solver,
  declarations: string,
  goal: string,
  milliseconds: number,
): Promise<Verdict> {
  const { answer, model } = await solver.check(`${declarations}\n(assert (not ${goal}))\n`, milliseconds)
  if (answer === 'sat') return { kind: 'wrong', message: model }
  return { kind: answer === 'unsat' ? 'proved' : 'unknown', message: '' }
}
