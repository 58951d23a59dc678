import { describe, expect, it } from 'vitest';

import { eventsJson, surveyCassette, surveyJson } from '../../src/view/index.js';
import { bridge, encode, FRONTEND } from '../bridge/build.js';
import { HEADER, opened, ordinaryBuild, REF, SESSION, Tape } from './tape.js';

const parsed = (lines: Iterable<string>): unknown[] => Array.from(lines, (line): unknown => JSON.parse(line));

describe('a cassette for programs', () => {
  it('is an object for itself, then one for each call', async () => {
    const [head, ...calls] = await opened(ordinaryBuild(), (cassette) => parsed(surveyJson(surveyCassette(cassette, 'build.cassette'))));
    expect(head).toEqual({
      kind: 'cassette',
      name: 'build.cassette',
      state: 'whole',
      formatVersion: 1,
      tool: 'bridgetape 0.1.0',
      startedAt: '2026-01-02T03:04:05.678Z',
      listen: ['unix:///tmp/tape.sock'],
      upstream: 'unix:///run/buildkit/buildkitd.sock',
      command: ['buildctl', 'build', '--frontend', 'dockerfile.v0', '--opt', 'target=a b'],
      buildkitVersion: 'v0.32.2',
      bodiesLeftOut: ['/moby.buildkit.v1.Control/Session', '/containerd.services.content.v1.Content/*'],
      durationNs: 900_000_000,
      events: 36,
      calls: 7,
      builds: [{ ref: REF, session: SESSION, frontend: 'dockerfile.v0' }],
      connections: [{ id: 1, address: 'unix:///tmp/tape.sock', openNs: 0 }],
      damages: [],
      gaps: [],
    });
    expect(calls).toHaveLength(7);
    expect(calls[1]).toEqual({
      kind: 'call',
      call: 2,
      connection: 1,
      build: REF,
      path: '/moby.buildkit.v1.Control/Session',
      startNs: 10_000_000,
      endNs: 900_000_000,
      client: { messages: 1, bytes: 2_000_000 },
      server: { messages: 1, bytes: 2200 },
      leftOut: 2,
      gaps: 0,
      outcome: { kind: 'reset', side: 'client', code: 8, codeName: 'CANCEL' },
    });
    expect(calls[5]).toMatchObject({ outcome: { kind: 'status', code: 5, codeName: 'NOT_FOUND', message: 'open /missing: no such file or directory' } });
  });

  it('says how the container frontend was run that it was recorded from', async () => {
    const frontend = {
      arguments: ['/run'],
      environment: ['A=b'],
      directory: '/',
      user: { uid: 1, gid: 2, additionalGids: [3] },
      files: [{ path: '/run/config/frontend.bin', data: Uint8Array.of(0, 1) }],
      exit: { signal: 'SIGKILL' },
    };
    const [head] = await opened(new Tape(), (cassette) => parsed(surveyJson(surveyCassette(cassette))), { ...HEADER, frontend });
    expect(head).toMatchObject({ frontend: { ...frontend, files: [{ path: '/run/config/frontend.bin', base64: 'AAE=' }] } });
  });

  it('has an object for each event of a call, with its bytes and what they mean', async () => {
    const request = encode(`${FRONTEND}.ReadFileRequest`, { FilePath: '/a' });
    const tape = new Tape();
    tape
      .call(bridge('ReadFile'), 1, { 'x-bytes': '\x00' })
      .client(2, request)
      .halfClose(3)
      .leftOut('server-message', 4, 99)
      .message('server-message', 5, Buffer.from([1]), true)
      .gap(6, 7, 'because')
      .status(8, 5, 'no%20file');
    const place = { connection: 1, call: 1 };
    expect(await opened(tape, (cassette) => parsed(eventsJson(cassette.call(1), cassette.calls)))).toEqual([
      { kind: 'client-header', seq: 1, timeNs: 1_000_000, ...place, headers: [{ name: ':path', value: bridge('ReadFile') }, { name: 'x-bytes', base64: 'AA==' }] },
      { kind: 'client-message', seq: 2, timeNs: 2_000_000, ...place, compressed: false, size: 4, base64: Buffer.from(request).toString('base64'), decoded: { FilePath: '/a' } },
      { kind: 'client-half-close', seq: 3, timeNs: 3_000_000, ...place },
      { kind: 'server-message', seq: 4, timeNs: 4_000_000, ...place, compressed: false, size: 99, leftOut: true },
      { kind: 'server-message', seq: 5, timeNs: 5_000_000, ...place, compressed: true, size: 1, base64: 'AQ==' },
      { kind: 'gap', seq: 6, timeNs: 6_000_000, ...place, side: 'server', offset: 512, bytes: 7, reason: 'because' },
      {
        kind: 'server-trailer',
        seq: 7,
        timeNs: 8_000_000,
        ...place,
        headers: [{ name: 'grpc-status', value: '5' }, { name: 'grpc-message', value: 'no%20file' }],
        status: { code: 5, codeName: 'NOT_FOUND', message: 'no file', details: [] },
      },
    ]);
  });

  it('has every event of the cassette, those of connections too', async () => {
    const tape = new Tape()
      .add({ kind: 'goaway', time: 1n, connection: 1, side: 'server', code: 11, debug: new Uint8Array(Buffer.from('too_many_pings')) })
      .add({ kind: 'connection-close', time: 2n, connection: 1, side: 'client', error: 'read ECONNRESET' });
    expect(await opened(tape, (cassette) => parsed(eventsJson(cassette.events(), cassette.calls)))).toEqual([
      { kind: 'connection-open', seq: 0, timeNs: 0, connection: 1, address: 'unix:///tmp/tape.sock' },
      { kind: 'goaway', seq: 1, timeNs: 1, connection: 1, side: 'server', code: 11, codeName: 'ENHANCE_YOUR_CALM', debug: Buffer.from('too_many_pings').toString('base64') },
      { kind: 'connection-close', seq: 2, timeNs: 2, connection: 1, side: 'client', error: 'read ECONNRESET' },
    ]);
    const lines = await opened(ordinaryBuild(), (cassette) => [...eventsJson(cassette.events(), cassette.calls)]);
    expect(lines).toHaveLength(36);
    expect(lines.filter((line) => line.includes('\n'))).toEqual([]);
  });
});
