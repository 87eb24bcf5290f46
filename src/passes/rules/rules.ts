// All rules, in the order in which they are tried. They are read when they are needed: most programs meet few of them.

import { I32, I64 } from '../../ir/op.ts'
import { both } from './both.ts'
import { double } from './double.ts'
import { type Rule, type RuleLine, readRule, ruleLines } from './language.ts'
import { pair } from './pair.ts'
import { word } from './word.ts'

export const lines: readonly RuleLine[] = [
  ...ruleLines(both),
  ...ruleLines(word, I32),
  ...ruleLines(pair, I32),
  ...ruleLines(double, I64),
]

/** All of them read, for those who prove or test them. */
export const allRules = (): Rule[] => lines.flatMap(readRule)
