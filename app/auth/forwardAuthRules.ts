import { ForwardAuthRulesInput, rulesIn } from '../domain/forwardAuthRuleInput.ts';
import { RuleSet } from '../domain/forwardAuthRules.ts';
import type { StoredSetting } from '../../db/tables/installationSettings.ts';

/** What a setting that was never set stands for: no rules, so that every request is refused. */
const NONE = new RuleSet([]);

/** An unchanged setting is the same object every time, so that rules are read once for each change of them. */
const read = new WeakMap<StoredSetting, RuleSet>();

/** The rules that a stored setting holds; throws where they are not readable, since half of them could let too much in. */
export function ruleSetOf(setting: StoredSetting): RuleSet {
  if (setting.value === null) return NONE;
  let rules = read.get(setting);
  if (!rules) {
    rules = new RuleSet(rulesIn(ForwardAuthRulesInput.parse(JSON.parse(setting.value))));
    read.set(setting, rules);
  }
  return rules;
}
