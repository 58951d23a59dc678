/** The frontend: writes a greeting for everybody on a list, and reads the first one back. */
import { build } from './build.js';
import { filesOnScratch } from './definition.js';

/** @returns the first greeting, as BuildKit made it */
export async function greet(address: string, names: readonly string[]): Promise<string> {
  let first = '';
  await build(address, async ({ solve, readFile }) => {
    // What the list says decides what is built.
    const list = await readFile(await solve(filesOnScratch({ '/names': names.join('\n') })), '/names');
    const greetings = Object.fromEntries(list.split('\n').map((name) => [`/${name}`, `hello, ${name}\n`]));
    const result = await solve(filesOnScratch(greetings));
    first = await readFile(result, `/${names[0] ?? ''}`);
    return result;
  });
  return first;
}
