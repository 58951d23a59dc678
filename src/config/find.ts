/** Where the settings are: in the folder where one works, or in one above it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const CONFIG_FILE = 'bridgetape.yaml';

/**
 * The nearest bridgetape.yaml from a folder upwards. A folder that holds `.git` is the last one looked into: what lies
 * above a repository is not its own.
 */
export function findConfig(folder: string): string | undefined {
  const file = join(folder, CONFIG_FILE);
  if (existsSync(file)) return file;
  const parent = dirname(folder);
  return parent === folder || existsSync(join(folder, '.git')) ? undefined : findConfig(parent);
}
