// The package as npm makes it: its tarball, unpacked in an empty folder, runs; so does the library.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'

import { root, temporaryFolder } from './support.ts'

describe.skipIf(!existsSync(join(root, 'dist', 'cli', 'main.js')))(
  'the tarball of npm pack [needs npm run build]',
  () => {
    it('runs in an empty folder', { timeout: 60_000 }, () => {
      const folder = temporaryFolder()
      const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }]
      const paths = files.map((file) => file.path)
      expect(paths).toEqual(
        expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/index.js', 'dist/index.d.ts']),
      )
      expect(paths.filter((path) => path.startsWith('test/') || path.startsWith('src/'))).toEqual([])

      const modules = join(folder, 'node_modules')
      mkdirSync(modules)
      execFileSync('tar', ['xzf', join(folder, filename), '-C', modules])
      const installed = join(modules, 'thumbpf')
      execFileSync('mv', [join(modules, 'package'), installed])
      const { bin, version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
        bin: { thumbpf: string }
        version: string
      }
      const main = join(installed, bin.thumbpf)
      expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)

      const thumbpf = (...args: string[]): ReturnType<typeof spawnSync> =>
        spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
      expect(thumbpf('--version').stdout).toBe(`${version}\n`)
      const ran = thumbpf(
        join(installed, 'examples', 'fletcher32.o'),
        '--ctx',
        `@${join(installed, 'examples', 'inputs', 'fletcher32.bin')}`,
      )
      expect(ran).toMatchObject({ status: 0, stdout: 'r0 = 0xbc355683\n', stderr: '' })
      expect(thumbpf('run', 'missing.o')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: 'error: missing.o: no such file or folder\n',
      })

      // What V8 compiled when it was built is good for this one, and what is none does no harm.
      for (const chunk of ['start', 'compile']) {
        const file = join(installed, 'dist', 'cli', `${chunk}.cjs`)
        const script = new Script(module.wrap(readFileSync(file, 'latin1')), {
          cachedData: readFileSync(`${file}.cache`),
        })
        expect([chunk, script.cachedDataRejected]).toEqual([chunk, false])
        writeFileSync(`${file}.cache`, 'no cache')
        expect(thumbpf('objdump', join(installed, 'examples', 'gcd.s'))).toMatchObject({ status: 0, stderr: '' })
        rmSync(`${file}.cache`)
        expect(thumbpf('objdump', join(installed, 'examples', 'gcd.s'))).toMatchObject({ status: 0, stderr: '' })
      }
      expect(readFileSync(join(installed, 'dist', 'cli', 'licenses.txt'), 'utf8')).toMatch(/^commander [^]*^uf2 /m)

      // The ten lines of the README, and those about helpers.
      for (const page of ['README.md', 'docs/helpers.md']) {
        const library = /```js\n([^]*?)```/.exec(readFileSync(join(root, page), 'utf8'))![1]!
        writeFileSync(join(folder, 'library.mjs'), library)
        const outcome = spawnSync(process.execPath, ['library.mjs'], { cwd: folder, encoding: 'utf8' })
        expect(outcome.stderr).toBe('')
        const said = [...library.matchAll(/\/\/ prints (.*)$/gm)].map((match) => match[1])
        expect(outcome.stdout.trimEnd().split('\n')).toEqual(said)
      }
    })
  },
)
