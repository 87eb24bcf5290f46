// What each kernel of bench/kernels is called with: the bytes at ctx and `len`. Made here, the same everywhere.

import { deviceInputs } from './inputs-device.ts'
import { dataInputs } from './inputs-data.ts'
import { mathInputs } from './inputs-math.ts'
import { parseInputs } from './inputs-parse.ts'
import type { KernelInput } from './kernel-input.ts'

/** By the kernel's name, sorted. */
export const kernelInputs: ReadonlyMap<string, () => KernelInput> = new Map(
  Object.entries({ ...mathInputs, ...dataInputs, ...deviceInputs, ...parseInputs }).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  ),
)
