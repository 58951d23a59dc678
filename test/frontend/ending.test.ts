import { describe, expect, it } from 'vitest';
import { RETURN } from '../../src/bridge/index.js';
import { differences, type Ending } from '../../src/frontend/ending.js';

const as = (more: Partial<Ending>): readonly string[] => differences({ recorded: { status: 0 }, live: { status: 0 }, unreturned: undefined, missed: [], ...more });

describe('the end of a frontend', () => {
  it('is as recorded with the same exit, the same Return and nothing missed', () => {
    expect(as({})).toEqual([]);
    expect(as({ recorded: { signal: 'SIGKILL' }, live: { signal: 'SIGKILL' } })).toEqual([]);
    expect(as({ recorded: undefined, live: { status: 3 } })).toEqual([]);
  });

  it.each<[string, Partial<Ending>, readonly string[]]>([
    ['its status', { live: { status: 2 } }, ['it ended with status 2; the recorded one ended with status 0']],
    ['a signal', { live: { signal: 'SIGSEGV' } }, ['it ended with SIGSEGV; the recorded one ended with status 0']],
    ['that it did not return', { unreturned: 9 }, ['it did not return; the recorded one did, in call 9']],
    ['what it returned', { unreturned: 9, missed: [RETURN] }, ['it returned something else than the recorded one, in call 9']],
    ['that it returned', { missed: [RETURN] }, ['it returned, which the recorded one did not']],
    ['what was missed', { missed: ['/a', '/b'] }, ['2 requests had no answer in the cassette']],
  ])('differs by %s, in words', (_what, ending, words) => {
    expect(as(ending)).toEqual(words);
  });
});
