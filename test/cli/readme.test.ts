// The README shows what really happens: each ```console block is a command and exactly what it prints. BLESS=1 writes
// them anew, to be read in review.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { root, thumbpf } from './support.ts'

const path = join(root, 'README.md')
const block = /```console\n\$ npx thumbpf (.*)\n([^]*?)```/g

/** Words of a simple shell command; file names are from the root. */
function words(command: string): string[] {
  const found = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!)
  return found.map((word) =>
    word.replace(/^(@?)(examples\/.*)$/, (_, at: string, file: string) => at + join(root, file)),
  )
}

async function printed(command: string): Promise<string> {
  const ran = await thumbpf(words(command))
  expect(ran.stderr).toBe('')
  return ran.stdout
}

describe('README.md', () => {
  it('shows what its commands print', async () => {
    let text = readFileSync(path, 'utf8')
    const blocks = [...text.matchAll(block)]
    expect(blocks.length).toBeGreaterThan(4)
    if (process.env['BLESS'] === '1') {
      for (const [whole, command] of blocks) {
        text = text.replace(whole, `\`\`\`console\n$ npx thumbpf ${command}\n${await printed(command!)}\`\`\``)
      }
      writeFileSync(path, text)
    }
    for (const [, command, output] of text.matchAll(block)) {
      expect(`$ thumbpf ${command}\n${await printed(command!)}`).toBe(`$ thumbpf ${command}\n${output}`)
    }
  })

  it('names files that are there', () => {
    const text = readFileSync(path, 'utf8')
    for (const [, file] of text.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)) {
      expect(() => readFileSync(join(root, file!), { flag: 'r' })).not.toThrow(/ENOENT/)
    }
  })
})
