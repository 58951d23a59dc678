import { readdirSync, statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cassette, CassetteWriter } from '../../src/cassette/index.js';
import { memorySource } from '../../src/cassette/disk.js';
import { MemoryDisk } from './memory-disk.js';
import { anyEvents, asRead, bytes, everyKind, expectSame, Folder, header, readAll, record, unary } from './recording.js';

describe('a recording that was closed', () => {
  test('gives back every kind of event', async () => {
    using folder = new Folder();
    const closed = await record(folder.file, everyKind);
    expect(closed).toEqual({ path: folder.file, bytes: statSync(folder.file).size, events: everyKind.length, calls: 4 });
    using cassette = Cassette.open(folder.file);
    expect(cassette.state).toBe('whole');
    expectSame([...cassette.events()], asRead(everyKind));
    expect(cassette.eventCount).toBe(everyKind.length);
    expect(cassette.duration).toBe((1n << 60n) + 1n);
    expect(readdirSync(folder.path)).toEqual(['a.cassette']);
  });

  test('gives the events of one call, in order', async () => {
    using folder = new Folder();
    await record(folder.file, everyKind);
    using cassette = Cassette.open(folder.file);
    for (const id of [1, 2, 3, 4]) {
      expectSame(cassette.call(id), asRead(everyKind).filter((event) => 'call' in event && event.call === id));
    }
  });

  test('says what it holds in its list of calls and connections', async () => {
    using folder = new Folder();
    await record(folder.file, everyKind);
    using cassette = Cassette.open(folder.file);
    expect(cassette.calls).toEqual([
      { id: 1, connection: 1, path: '/moby.buildkit.v1.frontend.LLBBridge/Ping', start: 5n, end: 1006n, clientMessages: 1, serverMessages: 1, clientBytes: 7, serverBytes: 8, leftOut: 0, gaps: 0, outcome: { kind: 'status', code: 0, message: '' } },
      { id: 2, connection: 1, path: '', start: 2000n, end: 2003n, clientMessages: 1, serverMessages: 3, clientBytes: 123_456_789_012, serverBytes: 1036, leftOut: 1, gaps: 0, outcome: { kind: 'reset', side: 'client', code: 8 } },
      { id: 3, connection: 1, path: '/x', start: 2004n, end: 2005n, clientMessages: 0, serverMessages: 0, clientBytes: 0, serverBytes: 0, leftOut: 0, gaps: 0, outcome: { kind: 'status', code: 9, message: 'a b €' } },
      { id: 4, connection: 2, path: '/open', start: 2006n, end: undefined, clientMessages: 0, serverMessages: 0, clientBytes: 0, serverBytes: 0, leftOut: 0, gaps: 1, outcome: { kind: 'open' } },
    ]);
    expect(cassette.connections).toEqual([
      { id: 1, address: 'unix:///run/user/tape.sock', open: 0n, close: 1n << 60n, side: 'client' },
      { id: 2, address: '', open: (1n << 60n) + 1n, close: (1n << 60n) + 1n, side: undefined, error: 'connection reset (ECONNRESET) – peer' },
    ]);
  });

  test('keeps its header, and takes facts that became known later', async () => {
    using folder = new Folder();
    const writer = await CassetteWriter.create(folder.file, header);
    await writer.close({ buildkitVersion: 'v0.32.2' });
    using cassette = Cassette.open(folder.file);
    expect(cassette.header).toEqual({ ...header, formatVersion: 1, buildkitVersion: 'v0.32.2' });
  });

  test('may be empty', async () => {
    using folder = new Folder();
    const closed = await record(folder.file, []);
    expect(closed).toMatchObject({ events: 0, calls: 0 });
    using cassette = Cassette.open(folder.file);
    expect(cassette.state).toBe('whole');
    expect([...cassette.events()]).toEqual([]);
    expect(cassette.calls).toEqual([]);
    expect(cassette.duration).toBe(0n);
  });

  test('keeps payloads of many megabytes, and events behind them', async () => {
    using folder = new Folder();
    const large = new Uint8Array(20 * 1024 * 1024).map((_, i) => (i * 7919) >>> 8);
    const events = [...unary(1, 1n, large, bytes('ok')), ...unary(2, 9n, bytes('small'), large.subarray(0, 3_000_000))];
    await record(folder.file, events);
    expectSame(readAll(folder.file), asRead(events));
  });

  // Packed from a text, such a one was once a cassette that could not be read.
  test('counts sizes as far as numbers are exact', async () => {
    const size = Number.MAX_SAFE_INTEGER;
    const [start] = unary(1, 0n, bytes(''), bytes(''));
    if (start === undefined) throw new Error('a call begins with something');
    const message = { kind: 'client-message', time: 1n, connection: 1, call: 1, compressed: false, size, data: undefined } as const;
    const disk = new MemoryDisk();
    await record('/a.cassette', [start, message, message], { disk });
    using cassette = Cassette.open('a.cassette', { source: memorySource(disk.bytes('/a.cassette')) });
    expect([cassette.state, cassette.calls.map(({ clientBytes, leftOut }) => [clientBytes, leftOut])]).toEqual(['whole', [[size, 2]]]);
  });

  test('gives back any list of events', async () => {
    using folder = new Folder();
    await fc.assert(
      fc.asyncProperty(anyEvents, async (events) => {
        await record(folder.file, events, { force: true });
        expectSame(readAll(folder.file), asRead(events));
      }),
    );
  });
});

describe('a recording under way', () => {
  test('is a file that opens as interrupted and gives back any list of events', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents, async (events) => {
        const disk = new MemoryDisk();
        const writer = await CassetteWriter.create('/a.cassette', header, { disk });
        for (const event of events) writer.append(event);
        if (events.length > 0) await disk.written();
        using journal = Cassette.open('journal', { source: memorySource(disk.bytes('/a.cassette')) });
        await writer.close();
        expect(journal.state).toBe('interrupted');
        expectSame([...journal.events()], asRead(events));
        using packed = Cassette.open('packed', { source: memorySource(disk.bytes('/a.cassette')) });
        expectSame([...packed.events()], asRead(events));
        expect(journal.calls).toEqual(packed.calls);
        expect(journal.connections).toEqual(packed.connections);
        expect(journal.duration).toBe(packed.duration);
      }),
      { numRuns: 40 },
    );
  });
});
