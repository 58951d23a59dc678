/** The rules of a comparison: those that come with bridgetape, and what bridgetape.yaml changes of them. */
import { Rules } from '../bridge/index.js';
import { CONFIG_FILE, findConfig } from '../config/index.js';
import type { Text } from './synopsis.js';

export const CONFIG_OPTION = {
  kind: 'text',
  value: 'FILE',
  about: 'Rules of your own (docs/rules.md)',
  defaultAbout: `the nearest ${CONFIG_FILE}`,
} as const satisfies Text;

/**
 * @param file undefined: the nearest bridgetape.yaml, if there is one
 * @throws BridgetapeError `bad-config`
 */
export async function rulesFrom(file: string | undefined, exact = false): Promise<Rules> {
  const found = file ?? findConfig(process.cwd());
  // What reads it takes longer to load than a replay to begin.
  return found === undefined ? new Rules(undefined, { exact }) : new Rules((await import('./config.js')).readConfig(found).rules, { exact });
}
