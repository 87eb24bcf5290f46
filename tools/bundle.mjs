// Bundles the command line: dist/cli/main.js, which loads start.cjs and further chunks as commands ask for them. Beside each chunk
// goes what V8 has compiled of it after a few commands ran, so that starting takes less time.

import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'dist', 'cli')
const source = (name) => join(root, 'src', 'cli', name)

async function bundle(name, options) {
  const build = await rolldown({
    input: source(name),
    cwd: root,
    platform: 'node',
    preserveEntrySignatures: false,
    logLevel: 'warn',
  })
  const output = { dir: folder, format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs', ...options }
  return { generate: () => build.generate(output), write: () => build.write(output) }
}

/** Of the chunks that rolldown makes by itself, modules of `entry` and of all that it imports at once. */
function modulesOf(chunks, entry) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const names = new Set([entry])
  // A set also gives what is added while it is gone through.
  for (const name of names) for (const next of byName.get(name).imports) if (byName.has(next)) names.add(next)
  return new Set([...names].flatMap((name) => byName.get(name).moduleIds))
}

await (await bundle('main.ts', { entryFileNames: 'main.js' })).write()
// Instead of a dozen small files two: what every command loads, and what compiling loads besides.
const alone = await (await bundle('start.ts', {})).generate()
const always = modulesOf(alone.output, 'start.cjs')
const compiling = modulesOf(alone.output, 'compile.cjs')
const { output: chunks } = await (
  await bundle('start.ts', {
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: 'cli', test: (id) => always.has(id) },
        { name: 'compile', test: (id) => compiling.has(id) },
      ],
    },
  })
).write()
// main.js and the chunks are CommonJS, which starts faster; the package's other modules are not.
writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
chmodSync(join(folder, 'main.js'), 0o755)

for (const { fileName, code } of chunks) {
  // main.js reads them as such.
  if (/[^\n\r\t -~]/.test(code)) throw new Error(`${fileName} is not ASCII`)
}

// The packages that are in the bundle ask for their licences to be, too.
const packages = chunks.flatMap(({ moduleIds }) =>
  moduleIds.flatMap((id) => /^.*node_modules[\\/][^\\/]+/.exec(id)?.[0] ?? []),
)
const licences = [...new Set(packages)].map((path) => {
  const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
  return `${name} ${version}\n\n${readFileSync(join(path, 'LICENSE'), 'utf8').trim()}\n`
})
writeFileSync(join(folder, 'licenses.txt'), `Packages in these files\n\n${licences.join('\n\n')}`)

// Later runs add to what earlier ones left.
const example = (name) => join(root, 'examples', name)
for (const args of [
  ['compile', example('packet.o'), '-o', '-'],
  ['compile', example('vibration.o'), '--format', 'image', '-o', '-'],
  ['compile', example('events.o'), '-O', 's', '--format', 'elf', '-o', '-'],
  ['run', example('fletcher32.o'), '--ctx', `@${example('inputs/fletcher32.bin')}`],
  ['objdump', example('packet.o')],
]) {
  execFileSync(process.execPath, ['-r', join(root, 'tools', 'code-cache.cjs'), join(folder, 'main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
