/** Any bytes, in any chunks, with an application that does what it likes meanwhile. More of it: `npm run soak`. */

import { test } from '@fast-check/vitest';
import { describe } from 'vitest';
import { anyInput } from './fuzz-input.js';
import { holds } from './fuzz-rig.js';

/** Fixed, so that a run says the same each time; the soak goes on from other ones. */
const SEED = 9113;

describe('whatever a client sends', () => {
  test.prop([anyInput], { numRuns: 20_000, seed: SEED })(
    'nothing throws, what is held and sent stays in its bounds, ends end, and chunks make no difference',
    (input) => {
      holds(input);
    },
    60_000,
  );
});
