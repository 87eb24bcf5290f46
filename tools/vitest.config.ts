// For tools that are written as tests: they need TypeScript run as it is.
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['tools/*.test.ts'], fileParallelism: false } })
