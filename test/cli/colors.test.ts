import { afterEach, describe, expect, it, vi } from 'vitest';
import { colorsFor } from '../../src/cli/colors.js';

afterEach(() => vi.unstubAllEnvs());

describe('colours', () => {
  it.each<[string, { readonly isTTY?: boolean }, Readonly<Record<string, string>>, boolean]>([
    ['on a terminal', { isTTY: true }, {}, true],
    ['in a pipe', {}, {}, false],
    ['in a pipe of a CI', {}, { CI: 'true' }, false],
    ['where nobody wants them', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['on a terminal that has none', { isTTY: true }, { TERM: 'dumb' }, false],
  ])('%s', (_where, stream, env, expected) => {
    for (const name of ['CI', 'NO_COLOR', 'TERM', 'FORCE_COLOR']) vi.stubEnv(name, env[name] ?? '');
    expect(colorsFor(stream).isColorSupported).toBe(expected);
  });
});
