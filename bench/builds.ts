// Builds the kernels: with clang for BPF, with gcc and clang for the Cortex-M4, the latter linked with libgcc (64-bit division).
// Objects are kept in a folder that a hash of sources, options and compilers names, so that only what changed is built again.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const gccOptions = '-mcpu=cortex-m4 -mthumb -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns'
const clangOptions = '--target=thumbv7em-none-eabi -mcpu=cortex-m4 -mfloat-abi=soft -ffreestanding -fno-builtin'

const bpf = (version: string, level: string) => ({
  native: false,
  command: `clang-19 -target bpf -mcpu=${version} ${level} -ffreestanding -fno-builtin`,
})

/** Every way a kernel is built: the compiler and its options, as they are printed. */
export const builds = {
  'gcc -O2': { native: true, command: `arm-none-eabi-gcc -O2 ${gccOptions}` },
  'gcc -Os': { native: true, command: `arm-none-eabi-gcc -Os ${gccOptions}` },
  'clang -O2': { native: true, command: `clang-19 -O2 ${clangOptions}` },
  v2: bpf('v2', '-O2'),
  v3: bpf('v3', '-O2'),
  v4: bpf('v4', '-O2'),
  'v2 -Os': bpf('v2', '-Os'),
  'v3 -Os': bpf('v3', '-Os'),
  'v4 -Os': bpf('v4', '-Os'),
} as const
export type Build = keyof typeof builds
export const buildNames = Object.keys(builds) as Build[]
export const nativeBuilds = buildNames.filter((build) => builds[build].native)
export const bpfBuilds = buildNames.filter((build) => !builds[build].native)
/** Bytecode of who wants few bytes. */
export const smallBuilds = ['v2 -Os', 'v3 -Os', 'v4 -Os'] as const satisfies readonly Build[]

/** Where the code of every build is linked to. */
export const CODE_BASE = 0x8000

/** The first line that a program prints about its version. Throws if it is not there. */
export async function version(program: string): Promise<string> {
  const { stdout } = await run(program, ['--version']).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new Error(`${program} is not there, which the benchmark needs`)
  })
  return stdout.slice(0, stdout.indexOf('\n'))
}

export interface BuiltKernels {
  /** The object of a kernel: for BPF what thumbpf compiles. */
  readonly object: (kernel: string, build: Build) => Uint8Array
  /** The linked program of a native build. */
  readonly linked: (kernel: string, build: Build) => Uint8Array
}

/** Builds all kernels in `sources` in the given ways; throws what the compiler says if it refuses one. */
export async function buildKernels(
  sources: string,
  cache: string,
  wanted: readonly Build[] = buildNames,
): Promise<BuiltKernels> {
  const files = readdirSync(sources).filter((file) => /\.[ch]$/.test(file))
  const text = files.map((file) => `${file}\n${readFileSync(join(sources, file), 'utf8')}`).join('\n')
  const folders = new Map<Build, string>()
  await Promise.all(
    wanted.map(async (build) => {
      const { command, native } = builds[build]
      const [program = '', ...options] = command.split(' ')
      const key = createHash('sha256')
        .update(`${await version(program)}\n${command}\n${text}`)
        .digest('hex')
        .slice(0, 16)
      const folder = join(cache, `${build.replace(' ', '')}-${key}`)
      folders.set(build, folder)
      if (existsSync(folder)) return
      mkdirSync(cache, { recursive: true })
      const fresh = mkdtempSync(join(cache, 'new-'))
      try {
        const inputs = files.filter((file) => file.endsWith('.c')).map((file) => join(sources, file))
        await run(program, [...options, '-c', ...inputs], { cwd: fresh })
        if (native) await linkAll(fresh)
        // Another process may have been faster: its objects are the same.
        if (!existsSync(folder)) renameSync(fresh, folder)
      } finally {
        rmSync(fresh, { recursive: true, force: true })
      }
    }),
  )
  const read = (kernel: string, build: Build, ending: string): Uint8Array =>
    new Uint8Array(readFileSync(join(folders.get(build)!, kernel + ending)))
  return {
    object: (kernel, build) => read(kernel, build, '.o'),
    linked: (kernel, build) => read(kernel, build, '.elf'),
  }
}

async function linkAll(folder: string): Promise<void> {
  const { stdout } = await run('arm-none-eabi-gcc', ['-mcpu=cortex-m4', '-mthumb', '-print-libgcc-file-name'])
  for (const file of readdirSync(folder)) {
    const options = ['-e', 'entry', `-Ttext=0x${CODE_BASE.toString(16)}`, '--defsym=__aeabi_unwind_cpp_pr0=0']
    await run('arm-none-eabi-ld', [...options, file, stdout.trim(), '-o', file.replace(/\.o$/, '.elf')], {
      cwd: folder,
    })
  }
}
