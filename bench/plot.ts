// A plot of ratios as SVG, text and shapes only: a row a kernel, a mark a build, on a logarithmic axis. Colours follow the reader's
// light or dark scheme.

export interface Series {
  readonly name: string
  readonly shape: 'disc' | 'ring' | 'diamond' | 'bar'
  /** A class of the style below. */
  readonly colour: 'first' | 'second' | 'third' | 'faint'
  /** A ratio a row. */
  readonly values: readonly number[]
}

export interface Plot {
  readonly title: string
  readonly rows: readonly string[]
  readonly series: readonly Series[]
  /** Ratios that get a line; the first and the last are the ends of the axis. */
  readonly ticks: readonly number[]
}

const WIDTH = 860
const LEFT = 100
const RIGHT = 24
const TOP = 84
const ROW = 18

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.name { text-anchor: end }
.tick { text-anchor: middle; fill: #59636e }
line { stroke: #d1d9e0; stroke-width: 1 }
.one { stroke: #59636e; stroke-width: 1.5 }
.first { fill: #0969da; stroke: #0969da }
.second { fill: #bc4c00; stroke: #bc4c00 }
.third { fill: #1a7f37; stroke: #1a7f37 }
.faint { fill: #818b98; stroke: #818b98 }
.ring { fill: none; stroke-width: 1.6 }
.paper { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .tick { fill: #9198a1 }
  line { stroke: #30363d }
  .one { stroke: #9198a1 }
  .first { fill: #58a6ff; stroke: #58a6ff }
  .second { fill: #f0883e; stroke: #f0883e }
  .third { fill: #3fb950; stroke: #3fb950 }
  .faint { fill: #6e7681; stroke: #6e7681 }
  .ring { fill: none }
  .paper { fill: #0d1117 }
}`

function mark({ shape, colour }: Series, x: number, y: number): string {
  const at = x.toFixed(1)
  switch (shape) {
    case 'disc':
      return `<circle class="${colour}" cx="${at}" cy="${y}" r="4"/>`
    case 'ring':
      return `<circle class="${colour} ring" cx="${at}" cy="${y}" r="4.5"/>`
    case 'diamond':
      return `<path class="${colour}" d="M${at} ${y - 4}l4 4l-4 4l-4 -4z"/>`
    case 'bar':
      return `<path class="${colour}" stroke-width="2" d="M${at} ${y - 5}v10"/>`
  }
}

/** The text of an SVG file. Values outside of the axis stand at its ends. */
export function drawPlot({ title, rows, series, ticks }: Plot): string {
  const height = TOP + ROW * rows.length + 16
  const [low, high] = [Math.log(ticks[0]!), Math.log(ticks.at(-1)!)]
  const x = (ratio: number): number => {
    const part = (Math.log(ratio) - low) / (high - low)
    return LEFT + Math.min(Math.max(part, 0), 1) * (WIDTH - LEFT - RIGHT)
  }
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="16" y="26">${title}</text>`,
  ]
  let legend = 22
  for (const one of series) {
    lines.push(mark(one, legend, 46), `<text x="${legend + 10}" y="50">${one.name}</text>`)
    legend += 34 + 7 * one.name.length
  }
  for (const tick of ticks) {
    const at = x(tick).toFixed(1)
    const kind = tick === 1 ? ' class="one"' : ''
    lines.push(`<line${kind} x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 12}"/>`)
    lines.push(`<text class="tick" x="${at}" y="${TOP - 13}">${tick}</text>`)
  }
  for (const [index, row] of rows.entries()) {
    const y = TOP + ROW * index + ROW / 2
    lines.push(`<text class="name" x="${LEFT - 12}" y="${y + 4}">${row}</text>`)
    for (const one of series) lines.push(mark(one, x(one.values[index]!), y))
  }
  return `${lines.join('\n')}\n</svg>\n`
}
