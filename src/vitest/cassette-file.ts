/** Where the cassette of a test is: a file of its own, named so that one sees whose it is. */
import { hash } from 'node:crypto';
import { basename, join } from 'node:path';

/** A name that file systems and terminals take well is no longer than this, its hash apart. */
const MAX_PART_CHARS = 60;
const HASH_CHARS = 8;
/** What a file name can say as it is: words of small letters and digits, one space between them. */
const PLAIN = /^[a-z0-9]+( [a-z0-9]+)*$/;

/**
 * Two tests have the same file only when they have the same names. A name that is not plain gets a hash of what it was,
 * behind a dot, which plain ones never have.
 *
 * @param testFile path of the file that the test is in
 * @param names of the suites that it is in, from the outermost on, and its own
 * @example `builds.test.ts`, `['a build', 'says hello']` → `builds.test/a-build--says-hello.cassette`
 */
export function cassetteFile(folder: string, testFile: string, names: readonly string[]): string {
  const all = names
    .map(slug)
    .filter((part) => part !== '')
    .join('--');
  const isPlain = names.every((name) => PLAIN.test(name)) && all.length <= MAX_PART_CHARS;
  const readable = all.slice(0, MAX_PART_CHARS).replace(/-+$/, '') || 'test';
  const suffix = isPlain ? '' : `.${hash('sha256', JSON.stringify(names), 'hex').slice(0, HASH_CHARS)}`;
  return join(folder, basename(testFile).replace(/\.[cm]?[jt]sx?$/, ''), `${readable}${suffix}.cassette`);
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}
