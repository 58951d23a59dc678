/** Exchanges of HTTP/1.1 with a Docker Engine, as they are shown. */
import { describe, expect, it } from 'vitest';

import { callTable, eventsJson, showCall, showCassette, surveyCassette, surveyJson } from '../../src/view/index.js';
import { control } from '../bridge/build.js';
import { HEADER, opened, SESSION, Tape } from './tape.js';

/** A build by docker.sock. */
function dockerBuild(): Tape {
  const tape = new Tape();
  tape.exchange('HEAD', '/_ping', 1, 200).ends(2);
  tape.exchange('GET', '/v1.41/version', 3, 200).server(4, Buffer.from('{"Version":"20.10","Platform":{"Name":"\\u001b[31m"}}')).ends(4);
  tape.exchange('POST', '/v1.41/build?buildargs=(redacted)', 5, 500).leftOut('client-message', 6, 2000).leftOut('server-message', 6, 30).ends(7);
  tape.exchange('POST', '/session', 8, 101, { 'x-docker-expose-session-uuid': SESSION }).leftOut('client-message', 90, 500).leftOut('server-message', 90, 400).ends(90);
  tape.solve(10).server(80).status(80);
  tape.exchange('GET', '/events', 20, 200).reset(95);
  return tape;
}

describe('an exchange of HTTP/1.1', () => {
  it('stands in the table by method and target, and a session with its build', async () => {
    const table = await opened(dockerBuild(), (cassette) => callTable(surveyCassette(cassette), { width: 100 }));
    expect(table.slice(2).join('\n')).toBe(
      `
1   0.001  1.0 ms  HEAD /_ping                                0     0 B    0   0 B  HTTP 200
2   0.003  1.0 ms  GET /v1.41/version                         0     0 B    1  52 B  HTTP 200
3   0.005  2.0 ms  POST /v1.41/build?buildargs=(redacted)*    1 2.0 KiB    1  30 B  HTTP 500
4   0.008   82 ms  POST /session*                             1   500 B    1 400 B  HTTP 101
5   0.010   70 ms  Control/Solve                              1    69 B    1   0 B  OK
6   0.020   75 ms  GET /events                                0     0 B    0   0 B  client reset
* message bodies left out of the cassette`.slice(1),
    );
    const builds = await opened(dockerBuild(), (cassette) => surveyCassette(cassette).builds.map(({ calls }) => calls.map(({ id }) => id)));
    expect(builds).toEqual([[4, 5]]);
  });

  it('is named in the head with what is left out of it', async () => {
    const head = await opened(dockerBuild(), (cassette) => showCassette(surveyCassette(cassette, 'a')).slice(0, 9).join('\n'), { ...HEADER, docker: 'unix:///var/run/docker.sock' });
    expect(head).toContain('  Docker    at unix:///var/run/docker.sock\n');
    expect(head).toContain("            what Docker's clients send, and all answers but to _ping, version\n            and info");
  });

  it('is shown whole, with JSON as what it says', async () => {
    const lines = await opened(dockerBuild(), (cassette) => {
      const [, call] = cassette.calls;
      return call === undefined ? [] : [...showCall(call, cassette.call(2))];
    });
    expect(lines.join('\n')).toBe(
      `
call 2  GET /v1.41/version
  at        0.003 s, took 1.0 ms, on connection 102
  client    0 messages, 0 B
  server    1 message, 52 B
  status    HTTP 200

 0.000000 → headers
            :method: GET
            :path: /v1.41/version
 0.000000 → sends no more
 0.000000 ← headers
            :status: 200
 0.001000 ← content, 52 B
            Version: "20.10"
            Platform: { Name: "\\u001b[31m" }
 0.001000 ← ends`.slice(1),
    );
  });

  it('has its method, status and content in JSON, and no status of gRPC', async () => {
    const [calls, events] = await opened(dockerBuild(), (cassette) => [[...surveyJson(surveyCassette(cassette))], [...eventsJson(cassette.call(2), cassette.calls)]] as const);
    expect(JSON.parse(calls[2] ?? '')).toMatchObject({ call: 2, method: 'GET', path: '/v1.41/version', outcome: { kind: 'http', code: 200 } });
    expect(JSON.parse(calls[0] ?? '')).toMatchObject({ connections: [{ id: 1 }, { id: 101, protocol: 'http/1.1' }, {}, {}, {}, {}] });
    const [message, trailer] = events.slice(-2).map((line) => JSON.parse(line) as unknown);
    expect(message).toMatchObject({ decoded: { Version: '20.10' } });
    expect(trailer).toMatchObject({ kind: 'server-trailer', headers: [] });
    expect(trailer).not.toHaveProperty('status');
  });

  it('is no build of BuildKit for having a path that ends in one', async () => {
    const tape = new Tape();
    tape.exchange('GET', control('Solve'), 1, 404).ends(2);
    expect(await opened(tape, (cassette) => surveyCassette(cassette).builds)).toEqual([]);
  });
});
