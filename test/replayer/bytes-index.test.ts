import { fc, test as property } from '@fast-check/vitest';
import { expect, test, vi } from 'vitest';
import { BytesIndex } from '../../src/replayer/bytes-index.js';
import type { RecordedCall } from '../../src/replayer/recorded-call.js';

const at = { time: 0n, connection: 1 };

/** @param request none: the call has no message */
function call(id: number, request: Uint8Array | undefined): RecordedCall {
  const message = request === undefined ? [] : [{ kind: 'client-message' as const, seq: id * 2 + 1, call: id, ...at, compressed: false, size: request.length, data: request }];
  return { id, path: '/a.Service/Method', headers: [], events: [{ kind: 'client-header', seq: id * 2, call: id, ...at, headers: [] }, ...message] };
}

/** Few and short, so that many are equal. */
const request = fc.uint8Array({ maxLength: 3, max: 2 });

property.prop([fc.array(fc.option(request, { nil: undefined }), { maxLength: 80 }), fc.array(request)])('calls are found by their requests, those of equal ones in their order', (requests, others) => {
  const calls = requests.map((bytes, index) => call(index + 1, bytes));
  const index = new BytesIndex(calls);
  for (const asked of [...others, ...requests.filter((bytes) => bytes !== undefined)]) {
    const wanted = calls.filter((_, place) => requests[place] !== undefined && Buffer.compare(requests[place], asked) === 0);
    expect(index.get(asked)?.map(({ id }) => id)).toEqual(wanted.length === 0 ? undefined : wanted.map(({ id }) => id));
    // Whoever counts through a list of several has to be given the same one again.
    if (wanted.length > 1) expect(index.get(asked)).toBe(index.get(asked));
  }
});

test('requests whose hashes are equal are told apart', () => {
  // The hash of bytes is then the product of its steps alone, and equal for all requests.
  const imul = vi.spyOn(Math, 'imul').mockReturnValue(7);
  try {
    const calls = ['a', 'b', 'c', 'b'].map((text, place) => call(place + 1, Buffer.from(text)));
    const index = new BytesIndex(calls);
    expect(['a', 'b', 'c', 'd'].map((text) => index.get(Buffer.from(text))?.map(({ id }) => id))).toEqual([[1], [2, 4], [3], undefined]);
  } finally {
    imul.mockRestore();
  }
});
