/** Exchanges of HTTP/1.1 in a cassette: calls of a connection that says so. */
import { describe, expect, test } from 'vitest';
import { Cassette, HTTP_1, type NewEvent, verify, whole } from '../../src/cassette/index.js';
import { asRead, bytes, expectSame, fields, Folder, record } from './recording.js';

const on = (call: number): { readonly connection: 1; readonly call: number } => ({ connection: 1, call });

const events: readonly NewEvent[] = [
  { kind: 'connection-open', time: 0n, connection: 1, address: 'unix:///d.sock', protocol: HTTP_1 },
  { kind: 'client-header', time: 1n, ...on(1), headers: fields([':method', 'GET'], [':path', '/version']) },
  { kind: 'client-half-close', time: 1n, ...on(1) },
  { kind: 'server-header', time: 2n, ...on(1), headers: fields([':status', '404']) },
  { kind: 'server-message', time: 3n, ...on(1), compressed: false, size: 2, data: [whole(bytes('{}'))] },
  { kind: 'server-trailer', time: 4n, ...on(1), headers: [] },
  { kind: 'client-header', time: 5n, ...on(2), headers: fields([':method', 'POST'], [':path', '/grpc']) },
  { kind: 'server-header', time: 6n, ...on(2), headers: fields([':status', '101']) },
  { kind: 'connection-open', time: 6n, connection: 2, address: 'unix:///d.sock', upgradeOf: 2 },
  { kind: 'server-trailer', time: 6n, ...on(2), headers: [] },
  { kind: 'client-header', time: 7n, connection: 2, call: 3, headers: fields([':method', 'POST'], [':path', '/s/M']) },
  { kind: 'server-trailer', time: 8n, connection: 2, call: 3, headers: fields(['grpc-status', '5']) },
  { kind: 'client-header', time: 9n, ...on(4), headers: fields([':method', 'GET'], [':path', '/events']) },
  { kind: 'server-header', time: 9n, ...on(4), headers: fields([':status', 'none']) },
  { kind: 'server-trailer', time: 10n, ...on(4), headers: [] },
];

describe('a connection of HTTP/1.1', () => {
  test('is read as it was written, and its index says how its calls ended', async () => {
    using folder = new Folder();
    await record(folder.file, events);
    expect(verify(folder.file).state).toBe('whole');
    using cassette = Cassette.open(folder.file);
    expectSame([...cassette.events()], asRead(events));
    expect(cassette.connections).toMatchObject([{ id: 1, protocol: HTTP_1 }, { id: 2, upgradeOf: 2 }]);
    expect(cassette.connections[1]).not.toHaveProperty('protocol');
    expect(cassette.calls.map(({ method, path, outcome }) => ({ method, path, outcome }))).toEqual([
      { method: 'GET', path: '/version', outcome: { kind: 'http', code: 404 } },
      { method: 'POST', path: '/grpc', outcome: { kind: 'http', code: 101 } },
      { method: undefined, path: '/s/M', outcome: { kind: 'status', code: 5, message: '' } },
      { method: 'GET', path: '/events', outcome: { kind: 'http', code: 0 } },
    ]);
  });
});
