// All rules, in the order in which they are tried.

import { I32, I64 } from '../../ir/op.ts'
import { both } from './both.ts'
import { double } from './double.ts'
import { type Rule, readRules } from './language.ts'
import { pair } from './pair.ts'
import { word } from './word.ts'

export const rules: readonly Rule[] = [
  ...readRules(both),
  ...readRules(word, I32),
  ...readRules(pair, I32),
  ...readRules(double, I64),
]
