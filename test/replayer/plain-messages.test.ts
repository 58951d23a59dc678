import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CallEvent } from '../../src/cassette/index.js';
import { Stage } from './stage.js';
import { Tape, type TapedCall } from './tape.js';

const TALK = '/some.Service/Talk';
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** The recording of a call as it is when both sides compress. */
function compressed(call: TapedCall, zip: (data: Uint8Array) => Uint8Array): void {
  const zipped = (event: CallEvent): CallEvent => {
    if ((event.kind !== 'client-message' && event.kind !== 'server-message') || event.data === undefined) return event;
    const data = zip(event.data);
    return { ...event, compressed: true, size: data.length, data };
  };
  call.events.splice(0, Infinity, ...call.events.map(zipped));
}

function talk(encoding: string, zip: (data: Uint8Array) => Uint8Array): Stage {
  const tape = new Tape();
  const call = tape.call(TALK, [['grpc-encoding', encoding]]).sends(bytes('one')).headed([['grpc-encoding', encoding], ['x-other', 'kept']]);
  compressed(call.answers(bytes('answer one')).sends(bytes('two')).closes().answers(bytes('answer two')).ends(), zip);
  return new Stage(tape.script);
}

describe('a recorded call whose messages are compressed', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('with %s is compared and given back by what they say', (encoding, zip) => {
    const stage = talk(encoding, (data) => zip(data));
    const call = stage.open(TALK).says(bytes('one'));
    expect(call.texts).toEqual(['answer one']);
    call.says(bytes('two')).closes();
    expect(call.texts).toEqual(['answer one', 'answer two']);
    expect(call.status?.code).toBe(0);
    expect(call.responseHeaders?.map(({ name }) => name)).toEqual([':status', 'content-type', 'x-other']);
    expect(stage.misses).toEqual([]);
  });

  it('still tells what differs', () => {
    expect(talk('gzip', (data) => gzipSync(data)).open(TALK).says(bytes('other')).status).toMatchObject({ code: 9, message: expect.stringMatching(/recorded bytes "one", got bytes "other"/) as unknown });
  });

  it.each([
    ['in a way that is not known', 'snail', 'that cannot be read here'],
    ['and is damaged', 'gzip', 'cannot be decompressed: incorrect header check'],
  ])('%s fails where an answer is one', (_, encoding, why) => {
    const tape = new Tape();
    const call = tape.call(TALK, [['grpc-encoding', 'gzip']]).sends(bytes('go')).headed([['grpc-encoding', encoding]]).answers(bytes('garbled')).ends();
    compressed(call, (data) => (data.length === 2 ? gzipSync(data) : data));
    const stage = new Stage(tape.script);
    const message = `bridgetape: a recorded server-message of 7 bytes is compressed with ${encoding}, and ${why}.`;
    expect(stage.open(TALK).says(bytes('go')).status).toMatchObject({ code: 9, message });
    expect(stage.misses).toEqual([message]);
    expect(stage.crashes).toEqual([]);
  });

  it('that can not be decompressed is no request of any live call', () => {
    const tape = new Tape();
    compressed(tape.call(TALK, [['grpc-encoding', 'gzip']]).sends(bytes('garbled')).closes().headed().answers(bytes('answer')).ends(), (data) => data);
    expect(new Stage(tape.script).open(TALK).asks(bytes('plain')).status?.code).toBe(9);
  });
});
