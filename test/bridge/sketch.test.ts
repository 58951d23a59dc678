import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { sketch, sketchDistance } from '../../src/bridge/index.js';
import { encode, FRONTEND, graph, type OpSpec } from './build.js';

/** Steps, each on the one before: a change of one changes the digests in all that come after it. */
function chain(scripts: readonly string[]): Uint8Array {
  const specs = scripts.map((script, at): OpSpec => ({
    name: `s${at}`,
    inputs: at === 0 ? [] : [`s${at - 1}`],
    op: { exec: { meta: { args: ['/bin/sh', '-c', script], cwd: '/' }, mounts: [{ input: 0, dest: '/' }] } },
    metadata: { caps: { 'exec.meta.base': true } },
  }));
  return encode(`${FRONTEND}.SolveRequest`, { Definition: graph(specs).fields });
}

const distance = (one: Uint8Array, other: Uint8Array): number => sketchDistance(sketch(one), sketch(other));

describe('the distance of two sketches', () => {
  const steps = Array.from({ length: 40 }, (_, at) => `step ${at} of many`);
  const recorded = chain(steps);

  it('is 2 where one value differs, however many digests follow from it', () => {
    expect(distance(recorded, chain(steps.with(0, 'step 0, changed')))).toBe(2);
  });

  it('grows with how much differs', () => {
    const changed = [1, 5, 20, 40].map((count) => distance(recorded, chain(steps.map((step, at) => (at < count ? `${step}, changed` : step)))));
    expect(changed).toEqual([2, 10, 40, 80]);
  });

  test.prop([fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 })])('is none between equal bytes, and the same both ways, of any bytes', (one, other) => {
    expect(distance(one, one)).toBe(0);
    expect(distance(one, other)).toBe(distance(other, one));
  });

  it('is found of messages within each other without end, and of lengths that reach past it', () => {
    let nested: Uint8Array = Buffer.from('x');
    for (let depth = 0; depth < 60; depth += 1) nested = Buffer.concat([Buffer.from([0x0a, nested.length]), nested]);
    expect(sketch(nested)).toHaveLength(1);
    expect(sketch(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]))).toHaveLength(1);
  });
});
