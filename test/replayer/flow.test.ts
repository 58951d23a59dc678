import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';
import { Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const TALK = '/some.Service/Talk';

function counting(to: number): Tape {
  const tape = new Tape();
  const call = tape.call(TALK).sends(bytes('go')).headed();
  for (let number = 1; number <= to; number += 1) call.answers(bytes(String(number)));
  call.ends();
  return tape;
}

describe('a client that reads slowly', () => {
  it('gets no more before it has read, and then the rest', () => {
    const call = new Stage(counting(5).script).open(TALK);
    call.isReading = false;
    call.says(bytes('go'));
    expect(call.texts).toEqual(['1']);
    call.reads();
    expect(call).toMatchObject({ texts: ['1', '2', '3', '4', '5'], status: { code: 0 } });
  });

  it('is not taken for one that does nothing', () => {
    const stage = new Stage(counting(3).script, { stallMs: 1000 });
    const call = stage.open(TALK);
    call.isReading = false;
    call.says(bytes('go'));
    stage.clock.pass(60_000);
    expect([stage.misses, call.status]).toEqual([[], undefined]);
  });

  it('may cancel instead', () => {
    const call = new Stage(counting(3).script).open(TALK);
    call.isReading = false;
    call.says(bytes('go')).cancels();
    call.reads();
    expect(call.texts).toEqual(['1']);
  });
});

describe('a client that cancels', () => {
  it.each([0, 1, 2, 3])('after %d of its messages gets nothing more', (said) => {
    const tape = new Tape();
    tape.call(TALK).sends(bytes('1')).headed().answers(bytes('one')).sends(bytes('2')).answers(bytes('two')).sends(bytes('3')).answers(bytes('three')).closes().ends();
    const stage = new Stage(tape.script, { pace: 1, stallMs: 0 });
    const call = stage.open(TALK).says(...['1', '2', '3'].slice(0, said).map(bytes));
    call.cancels();
    stage.clock.pass(1000);
    expect([stage.clock.pending, stage.misses, stage.crashes]).toEqual([0, [], []]);
  });
});

describe('a bug in the replayer', () => {
  it('fails the call that met it, and says so', () => {
    const stage = new Stage(counting(3).script);
    const call = stage.open(TALK);
    call.send = () => {
      throw new TypeError('something is undefined');
    };
    call.says(bytes('go'));
    expect(call.status).toMatchObject({ code: 13, message: 'bridgetape: internal error: something is undefined' });
    expect(stage.crashes).toHaveLength(1);
    expect(stage.open(TALK).says(bytes('go')).texts).toEqual(['1', '2', '3']);
  });
});
