/** What the page about vitest shows stands in the example, whose tests are run by `npm run examples`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'testing-with-vitest.md'), 'utf8');
const example = readFileSync(join(ROOT, 'examples', 'typescript-frontend', 'test', 'greetings.test.ts'), 'utf8');

it('every snippet of the page is in the example', () => {
  const snippets = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code);
  expect(snippets.length).toBeGreaterThan(1);
  for (const snippet of snippets) expect(example).toContain(snippet);
});

it('the page names every option', () => {
  const options = readFileSync(join(ROOT, 'src', 'vitest', 'fixture.ts'), 'utf8');
  const declared = /export interface BuildKitOptions \{([^]*?)\n\}/.exec(options)?.[1] ?? '';
  const names = [...declared.matchAll(/readonly (\w+)\?/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) expect(page).toContain(`\`${name}\``);
});
