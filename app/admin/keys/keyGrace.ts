import type { Policy } from '../../domain/policy.ts';
import type { Texts } from '../../locales/texts.ts';

const GRACES = [0, 3_600, 86_400, 604_800];
const USUAL = 86_400;

/** How long a replaced key may go on working, as far as the policy goes: a day unless it says less. */
export function graceChoices({ t }: Texts, { maxGraceSeconds }: Policy) {
  const allowed = GRACES.filter((seconds) => seconds <= maxGraceSeconds);
  const usual = allowed.includes(USUAL) ? USUAL : (allowed.at(-1) ?? 0);
  return {
    value: String(usual),
    options: allowed.map((seconds) => ({ value: String(seconds), label: t(`keys.grace_${seconds}`) })),
  };
}
