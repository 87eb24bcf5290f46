// The command line: which commands and options there are, and how errors end. Each command is a file of its own that is
// loaded when it is called for, so that starting stays quick.

import { existsSync, readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'

import { suggestion } from '../index.ts'
import { type FormatName, formatNames } from './format-names.ts'
import { type Io, paint, UsageError } from './io.ts'
import { machineName } from './machine-name.ts'
import { count, definition, oneOf } from './values.ts'

/** Exit statuses. A fault of our own is told apart from a program's failure (sysexits' EX_SOFTWARE). */
const Exit = { OK: 0, FAILED: 1, MISUSE: 2, INTERNAL: 70 } as const

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Options of every command that runs programs. */
function withTargetOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--machine <name>',
        'where to run: sim, the Cortex-M4 simulator; interp, the BPF interpreter; qemu; gdb:HOST:PORT, a board or emulator behind a GDB stub; serial:DEVICE[:BAUD] or serial:tcp:HOST:PORT, firmware with our agent',
      )
        .argParser(machineName)
        .default('sim'),
    )
    .addOption(
      new Option(
        '--max-instructions <n>',
        'stop the run after so many instructions (default: 50 million on sim, 10 million on interp)',
      ).argParser(count(1, Number.MAX_SAFE_INTEGER)),
    )
    .addOption(
      new Option(
        '--timeout <ms>',
        'stop the run after so many milliseconds, on qemu, gdb and serial (default: 10000)',
      ).argParser(count(1, 2 ** 31 - 1)),
    )
    .option('--code <base:size>', 'gdb: RAM of the target for code')
    .option('--ram <base:size>', 'gdb: RAM of the target for data')
}

/** Options of every command that compiles. */
function withCompileOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-O, --optimize <level>', '0: plain, 2: fast, s: small')
        .argParser(oneOf(['0', '2', 's'] as const))
        .default('2'),
    )
    .option('--full-prologue', 'save all callee-saved registers, used or not')
    .option('--position-independent', 'code that is never patched: its addresses are in a table')
    .option('--helpers <table>', 'numbers and prototypes of helpers: linux, riot, or a C header')
}

/** The commands; `settle` receives the exit status of the one that ran. */
function commands(io: Io, settle: (status: number) => void): Command {
  const program = new Command('thumbpf')
    .description('Compiles eBPF programs to Thumb-2 code for ARM Cortex-M4 and runs them on a simulator.')
    .option('-V, --version', 'output the version number')
    // Not by commander's own option, which wants to be told it before anybody asks.
    .on('option:version', () => {
      io.stdout(`${version()}\n`)
      throw new CommanderError(Exit.OK, 'commander.version', '')
    })
    .usage('[command] FILE [options]')
    .helpOption('-h, --help')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
      getOutHasColors: () => io.colour.stdout,
      getErrHasColors: () => io.colour.stderr,
      // On one line, the suggestion too.
      outputError: (text, write) => {
        const line = text
          .trim()
          .replace(/^error: /, '')
          .replaceAll(/\s*\n\s*/g, ' ')
        write(`${paint(io.colour.stderr, 'red', 'error:')} ${line}\n`)
      },
    })
    .addHelpText(
      'after',
      `
FILE is an ELF object (clang -target bpf), raw BPF bytes, an application of Femto-Containers or BPF assembly, told apart by
content; - is standard input.
Without a command, FILE is run.

Examples:
  thumbpf examples/fletcher32.o --ctx @examples/inputs/fletcher32.bin
  thumbpf run examples/gcd.s --ctx "c8 0d 00 00 c4 0e 00 00" --stats
  thumbpf run examples/events.o --ctx @examples/inputs/events.bin --maps
  thumbpf objdump examples/packet.o
  thumbpf compile examples/alarm.o -o alarm.bin`,
    )

  const run = program
    .command('run')
    .description('compile a program, call it, and print its result')
    .argument('<file>', 'object, raw bytes or assembly; - for standard input')
    .option('--ctx <hex>', "the context, R1 points at it: hex bytes, or @FILE for a file's bytes")
    .addOption(new Option('--len <n>', 'R2, instead of the length of the context').argParser(count(0, 0xffffffff)))
    .option('--entry <name>', 'function to start with')
    .option('--stats', 'print instructions, cycles and sizes too')
    .option('--json', 'print one JSON object')
    .option('--maps', "print the program's maps after the call, in hex (of an array what is not zero)")
    .option('--ctx-out <file>', 'write the context, as it is after the call, to a file')
    .action(async (file: string, options) => {
      const command = await import('./run.ts')
      settle(await command.run(file, options, io))
    })
  withTargetOptions(run)
  withCompileOptions(run)

  const compile = program
    .command('compile')
    .description('compile a program to a file')
    .argument('<file>', 'object, raw bytes or assembly; - for standard input')
    .requiredOption('-o, --output <file>', 'file to write; - for standard output')
    .addOption(
      new Option(
        '--format <name>',
        `what to write: ${Object.entries(formatNames)
          .map(([name, what]) => `${name}, ${what}`)
          .join('; ')}`,
      )
        .argParser(oneOf(Object.keys(formatNames) as FormatName[]))
        .default('bin'),
    )
    .option('--name <symbol>', "the entry's symbol, or function in C and Rust (default: its name)")
    .addOption(new Option('--at <address>', 'address of the code: bin, hex, uf2').argParser(count(0, 0xffff_ffff)))
    .addOption(new Option('--ram <address>', "address of the program's data").argParser(count(0, 0xffff_ffff)))
    .addOption(
      new Option('--define <name=address>', 'address of a helper or a map; as often as there are any').argParser(
        definition,
      ),
    )
    .option('--map <file>', 'write what is where to a file')
    .option('--family <name>', 'uf2: family of the board, a name or a number')
    .option('--entry <name>', 'function to start with')
    .option('--dump', 'print what every stage of the compiler made')
    .action(async (file: string, options) => {
      const command = await import('./compile.ts')
      settle(await command.compile(file, options, io))
    })
  withCompileOptions(compile)

  const objdump = program
    .command('objdump')
    .description('show each BPF instruction with the Thumb instructions that it became, and what was done to it')
    .argument('<file>', 'object, raw bytes or assembly; - for standard input')
    .addOption(new Option('--bpf', 'the BPF instructions alone').conflicts('thumb'))
    .option('--thumb', 'the Thumb instructions alone, by address')
    .option('--json', 'print one JSON object')
    .option('--entry <name>', 'function to start with')
    .action(async (file: string, options) => {
      const command = await import('./objdump.ts')
      settle(await command.objdump(file, options, io))
    })
  withCompileOptions(objdump)

  program
    .command('asm')
    .description('assemble BPF assembly to raw bytes')
    .argument('<file>', 'assembly in the syntax of the kernel and LLVM or of ubpf; - for standard input')
    .requiredOption('-o, --output <file>', 'file to write; - for standard output')
    .action(async (file: string, options) => {
      const command = await import('./asm.ts')
      settle(await command.asm(file, options, io))
    })

  const test = program
    .command('test')
    .description('run conformance files (.data) and folders of them on the interpreter and on a machine')
    .argument('<path...>', 'files, or folders to search for .data files')
    .action(async (paths: string[], options) => {
      const command = await import('./test.ts')
      settle(await command.test(paths, options, io))
    })

  withTargetOptions(test)

  const plugin = program
    .command('plugin')
    .description('plugin for bpf_conformance: hex program on standard input, R0 in hex on standard output')
    .argument('[memory]', 'hex bytes of the memory that R1 points at')
    .option('--program <hex>', 'the program, instead of standard input')
    .option('--elf', 'the program is an ELF object (found out without this, too)')
    .addOption(new Option('--jit', 'the same as --machine sim').implies({ machine: 'sim' }))
    .addOption(new Option('--interpret', 'the same as --machine interp').implies({ machine: 'interp' }))
    .action(async (memory: string | undefined, options) => {
      const command = await import('./plugin.ts')
      settle(await command.plugin(memory, options, io))
    })
  withTargetOptions(plugin)

  return program
}

/** `argv` with `run` before it where it names a file and no command. */
function withCommand(argv: readonly string[], names: readonly string[]): string[] {
  const first = argv[0]
  if (first === undefined || ['-h', '--help', '-V', '--version'].includes(first)) return [...argv]
  if (names.includes(first)) return [...argv]
  // A word like a command's that is no file was meant to be that command: commander suggests it.
  if (!first.startsWith('-') && !existsSync(first) && suggestion(first, names) !== '') return [...argv]
  return ['run', ...argv]
}

/** One line and an exit status for whatever was thrown. */
function explain(error: unknown, io: Io): number {
  const say = (message: string): void => {
    io.stderr(`${paint(io.colour.stderr, 'red', 'error:')} ${message.trim().replaceAll(/\s*\n\s*/g, '; ')}\n`)
  }
  if (error instanceof CommanderError) {
    // Commander has written its message itself.
    return error.exitCode === 0 ? Exit.OK : Exit.MISUSE
  }
  if (!(error instanceof Error)) {
    say(`internal error, please report it: ${String(error)}`)
    return Exit.INTERNAL
  }
  if (error instanceof UsageError) {
    say(error.message)
    return Exit.MISUSE
  }
  // By name, so that the library need not be loaded to tell them apart.
  if (error.name === 'InputError') {
    const { offset, line } = error as { offset?: number; line?: number }
    const place = line !== undefined ? `line ${line}: ` : offset !== undefined ? `offset ${offset}: ` : ''
    say(place + error.message)
    return Exit.FAILED
  }
  if (error.name === 'MachineError') {
    say(error.message)
    return Exit.FAILED
  }
  if (error.name === 'RejectedError') {
    say(error.message)
    return Exit.FAILED
  }
  const { code, path } = error as NodeJS.ErrnoException
  if (code !== undefined && path !== undefined) {
    const reason: Record<string, string> = {
      ENOENT: 'no such file or folder',
      EISDIR: 'is a folder',
      EACCES: 'permission denied',
      ENOTDIR: 'a part of the path is not a folder',
    }
    say(`${path}: ${reason[code] ?? error.message}`)
    return Exit.MISUSE
  }
  say(`internal error, please report it: ${error.message}`)
  return Exit.INTERNAL
}

/** Runs the command line `argv` (without the program's own name) on `io`; gives the exit status and never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let status: number = Exit.OK
  try {
    const program = commands(io, (settled) => {
      status = settled
    })
    if (argv.length === 0) program.help({ error: true })
    const names = [...program.commands.map((command) => command.name()), 'help']
    await program.parseAsync(withCommand(argv, names), { from: 'user' })
    return status
  } catch (error) {
    return explain(error, io)
  }
}
