/** The rules of a comparison: those that come with bridgetape, and what bridgetape.yaml and options change of them. */
import { RULE_PLACES, rulePlace, Rules, type RuleSettings, type UserRule } from '../bridge/index.js';
import { CONFIG_FILE, findConfig } from '../config/index.js';
import { BridgetapeError } from '../errors.js';
import type { List, Text } from './synopsis.js';

export const CONFIG_OPTION = {
  kind: 'text',
  value: 'FILE',
  about: 'Rules of your own (docs/rules.md)',
  defaultAbout: `the nearest ${CONFIG_FILE}`,
} as const satisfies Text;

export const IGNORE_OPTION = {
  kind: 'list',
  value: 'RULE',
  about: 'What is not to be compared: env:NAME, option:NAME, attribute:NAME, field:MESSAGE.FIELD or path:PATH',
} as const satisfies List;

/**
 * @param file undefined: the nearest bridgetape.yaml, if there is one
 * @throws BridgetapeError `bad-config`
 */
export async function rulesFrom(file: string | undefined, exact = false): Promise<Rules> {
  return new Rules(await ruleSettings(file), { exact });
}

/**
 * What is changed of the rules that come with bridgetape.
 *
 * @param file undefined: the nearest bridgetape.yaml, if there is one
 * @returns undefined: nothing
 * @throws BridgetapeError `bad-config`
 */
export async function ruleSettings(file: string | undefined): Promise<RuleSettings | undefined> {
  const found = file ?? findConfig(process.cwd());
  // What reads it takes longer to load than a replay to begin.
  return found === undefined ? undefined : (await import('./config.js')).readConfig(found).rules;
}

/**
 * A rule as it stands behind `--ignore`.
 *
 * @throws BridgetapeError `bad-argument`
 */
export function ignoreRule(text: string): UserRule {
  const colon = text.indexOf(':');
  const [name, rest] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  const kind = RULE_PLACES.find((place) => place === name);
  const refusal = (what: string): BridgetapeError => new BridgetapeError('bad-argument', `--ignore got "${text}": ${what}.`, 'Write it as --ignore env:BUILD_ID or --ignore field:pb.Meta.hostname; docs/rules.md has the places.');
  if (kind === undefined) throw refusal(colon === -1 ? `before a colon has to stand one of ${RULE_PLACES.join(', ')}` : `"${name}" is none of ${RULE_PLACES.join(', ')}`);
  if (rest === '') throw refusal(`nothing stands behind ${kind}:`);
  const { place, wrong } = rulePlace(kind, rest);
  if (wrong !== undefined) throw refusal(wrong);
  return { effect: 'ignore', place };
}
