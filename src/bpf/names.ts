// Help for mistyped names: the nearest known one.

/** `; did you mean 'x'?` if a known name is near enough, else ''. */
export function suggestion(name: string, known: Iterable<string>): string {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const found = editDistance(name, candidate, bestDistance)
    if (found < bestDistance) {
      best = candidate
      bestDistance = found
    }
  }
  return best === undefined ? '' : `; did you mean '${best}'?`
}

/** Levenshtein's distance, with a swap of neighbours as one edit; `limit` or more where it is not less than `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 64) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const differs = a[row - 1] === b[column - 1] ? 0 : 1
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + differs)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1)
      }
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[b.length]!
}
