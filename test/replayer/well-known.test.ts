import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';
import { Tape } from './tape.js';

const HEALTH = '/grpc.health.v1.Health/Check';
const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const NOTHING = new Uint8Array();

describe('what every client asks around a build', () => {
  it('is answered without a recording: healthy, and spans accepted', () => {
    const stage = new Stage(new Tape().script);
    const [health, traces] = [stage.open(HEALTH).asks(NOTHING), stage.open(TRACES).asks(Buffer.from('spans'))];
    expect([health.messages, health.status?.code]).toEqual([[Uint8Array.of(8, 1)], 0]);
    expect([traces.messages, traces.status?.code]).toEqual([[NOTHING], 0]);
    expect(stage.misses).toEqual([]);
  });

  it('is answered as recorded where that says something: health, but not spans', () => {
    const tape = new Tape();
    tape.call(HEALTH).sends(NOTHING).closes().headed().answers(Uint8Array.of(8, 2)).ends();
    tape.call(TRACES).sends(Buffer.from('old spans')).closes().headed().ends(14);
    const stage = new Stage(tape.script);
    expect(stage.open(HEALTH).asks(NOTHING).messages).toEqual([Uint8Array.of(8, 2)]);
    expect(stage.open(TRACES).asks(Buffer.from('new spans')).status?.code).toBe(0);
  });

  it('is not answered to a client that has gone', () => {
    const call = new Stage(new Tape().script).open(HEALTH).says(NOTHING);
    call.cancels();
    call.closes();
    expect(call.messages).toEqual([]);
  });
});
