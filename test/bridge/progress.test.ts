import { describe, expect, it } from 'vitest';
import { progressEntries } from '../../src/bridge/index.js';
import { encode, type Fields } from './build.js';

const answer = (fields: Fields): Uint8Array => encode('moby.buildkit.v1.StatusResponse', fields);
const textsOf = (fields: Fields): readonly string[] => progressEntries(answer(fields))?.map(({ text }) => text) ?? [];
const log = (text: string, seconds: number): Fields => ({ vertex: 'v', stream: 1, msg: Buffer.from(text), timestamp: { seconds, nanos: 7 } });

describe('an answer of Status', () => {
  const all = { vertexes: [{ digest: 'v', name: 'one', started: { seconds: 5 } }, { digest: 'w' }], statuses: [{ ID: 's', vertex: 'v', current: 3 }], logs: [log('hello', 5)], warnings: [{ vertex: 'v', short: Buffer.from('mind') }] };

  it('is its entries, one after the other', () => {
    const entries = progressEntries(answer(all));
    expect(entries).toHaveLength(5);
    expect(Buffer.concat(entries?.map(({ bytes }) => bytes) ?? [])).toEqual(Buffer.from(answer(all)));
  });

  it('tells the same at another time', () => {
    expect(textsOf({ logs: [log('hello', 5)] })).toEqual(textsOf({ logs: [log('hello', 99)] }));
    expect(textsOf({ vertexes: [{ digest: 'v', started: { seconds: 5 }, completed: { seconds: 6, nanos: 1 } }] })).toEqual(textsOf({ vertexes: [{ digest: 'v', started: { nanos: 8 }, completed: {} }] }));
  });

  it.each<[string, Fields, Fields]>([
    ['a step begins', { vertexes: [{ digest: 'v' }] }, { vertexes: [{ digest: 'v', started: { seconds: 5 } }] }],
    ['a step ends', { vertexes: [{ digest: 'v', started: { seconds: 5 } }] }, { vertexes: [{ digest: 'v', started: { seconds: 5 }, completed: { seconds: 5 } }] }],
    ['a part of it goes on', { statuses: [{ ID: 's', current: 3 }] }, { statuses: [{ ID: 's', current: 4 }] }],
    ['it prints something', { logs: [log('a', 5)] }, { logs: [log('b', 5)] }],
    ['it is named like a time', { vertexes: [{ digest: 'v', name: 'started' }] }, { vertexes: [{ digest: 'v', name: 'completed' }] }],
    ['an entry of another kind says it', { vertexes: [{ digest: 'v' }] }, { statuses: [{ ID: 'v' }] }],
  ])('tells something else when %s', (_what, one, other) => {
    expect(textsOf(one)).not.toEqual(textsOf(other));
  });

  it('may be newer than proto/', () => {
    const bytes = Buffer.from([0x7a, 0x01, 0x41, 0x78, 0x05]);
    expect(progressEntries(bytes)?.map(({ bytes: entry }) => Buffer.from(entry))).toEqual([bytes.subarray(0, 3), bytes.subarray(3)]);
  });

  it('that is none is said to be none', () => {
    expect(progressEntries(Buffer.from([0xff]))).toBeUndefined();
  });
});
