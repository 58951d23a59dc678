import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lineOfIdle, versionsPage } from './page.js';

describe('docs/buildkit-versions.md', () => {
  const page = versionsPage();

  it('is what npm run versions makes of the cassettes', () => {
    expect(page.text).toBe(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'buildkit-versions.md'), 'utf8'));
  });

  it('has a reason for every change', () => {
    expect(page.unexplained).toEqual([]);
  });

  it('gives no reason for what has not changed', () => {
    expect(page.idle.map(lineOfIdle)).toEqual([]);
  });
});
