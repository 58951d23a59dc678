import { fork, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { BridgetapeError } from '../../src/errors.js';
import { Cassette, CassetteWriter, type NewEvent, verify, whole } from '../../src/cassette/index.js';
import { memorySource, openSource, type Source } from '../../src/cassette/disk.js';
import { DiskError, MemoryDisk } from './memory-disk.js';
import { asRead, bytes, everyKind, expectSame, Folder, header, readAll, record, unary } from './recording.js';

const name = '/a.cassette';

function message(call: number, data: Uint8Array, time = 0n): NewEvent {
  return { kind: 'server-message', time, connection: 1, call, compressed: false, size: data.length, data: [whole(data)] };
}

async function refusal(promise: Promise<unknown>): Promise<BridgetapeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BridgetapeError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

describe('creating a cassette', () => {
  test('makes a file that only its owner can read, while recording and after', async () => {
    using folder = new Folder();
    const writer = await CassetteWriter.create(folder.file, header);
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
    await writer.close();
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  });

  test('refuses a file that exists, and replaces it when forced to', async () => {
    using folder = new Folder();
    await record(folder.file, everyKind);
    const before = readFileSync(folder.file);
    expect(await refusal(CassetteWriter.create(folder.file, header))).toMatchObject({ code: 'cassette-exists', hint: expect.stringContaining('--force') as unknown });
    expect(readFileSync(folder.file)).toEqual(before);
    await record(folder.file, [], { force: true });
    expect(readAll(folder.file)).toEqual([]);
    expect(readdirSync(folder.path)).toEqual(['a.cassette']);
  });

  test('replaces what is no cassette when forced to, with mode 0600', async () => {
    using folder = new Folder();
    writeFileSync(folder.file, 'anything', { mode: 0o644 });
    await record(folder.file, everyKind, { force: true });
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
    expectSame(readAll(folder.file), asRead(everyKind));
  });

  test('refuses a missing folder, a folder, and a file for a folder, and says what to do', async () => {
    using folder = new Folder();
    expect(await refusal(CassetteWriter.create(join(folder.path, 'no', 'a.cassette'), header))).toMatchObject({
      code: 'cassette-not-writable',
      what: expect.stringContaining('does not exist') as unknown,
      hint: expect.stringContaining('mkdir') as unknown,
    });
    for (const force of [false, true]) {
      expect(await refusal(CassetteWriter.create(folder.path, header, { force }))).toMatchObject({ code: 'cassette-exists', what: expect.stringContaining('a folder') as unknown });
    }
    writeFileSync(folder.file, '');
    expect(await refusal(CassetteWriter.create(join(folder.file, 'a.cassette'), header))).toMatchObject({ code: 'cassette-not-writable' });
    expect(await refusal(CassetteWriter.create(join(folder.path, 'x'.repeat(300)), header))).toMatchObject({ code: 'cassette-not-writable', what: expect.stringContaining('too long') as unknown });
  });

  test.skipIf(process.getuid?.() === 0)('refuses a folder that may not be written to', async () => {
    using folder = new Folder();
    chmodSync(folder.path, 0o500);
    expect(await refusal(CassetteWriter.create(folder.file, header))).toMatchObject({ code: 'cassette-not-writable' });
    chmodSync(folder.path, 0o700);
  });

  test('refuses what is not a regular file, even when forced to', async () => {
    using folder = new Folder();
    const fifo = join(folder.path, 'fifo');
    spawnSync('mkfifo', [fifo]);
    for (const path of [fifo, '/dev/null']) {
      expect(await refusal(CassetteWriter.create(path, header, { force: true }))).toMatchObject({ code: 'cassette-exists', what: expect.stringContaining('not a regular file') as unknown });
    }
  });

  test('does not follow a symbolic link, except to the file that --force replaces', async () => {
    using folder = new Folder();
    const target = join(folder.path, 'target');
    symlinkSync(target, folder.file);
    expect(await refusal(CassetteWriter.create(folder.file, header))).toMatchObject({ code: 'cassette-exists' });
    expect(await refusal(CassetteWriter.create(folder.file, header, { force: true }))).toBeInstanceOf(BridgetapeError);
    writeFileSync(target, '');
    await record(folder.file, everyKind, { force: true });
    expectSame(readAll(target), asRead(everyKind));
    symlinkSync(folder.path, join(folder.path, 'link'));
    expect(await refusal(CassetteWriter.create(join(folder.path, 'link'), header, { force: true }))).toMatchObject({ code: 'cassette-exists' });
  });

  test('refuses a full disk, leaves nothing behind, and spares the cassette that stands there', async () => {
    const disk = new MemoryDisk();
    await record(name, everyKind, { disk });
    const before = disk.bytes(name);
    disk.capacity = disk.used + 20;
    for (const [path, force] of [['/b.cassette', false], [name, true]] as const) {
      expect(await refusal(CassetteWriter.create(path, header, { disk, force }))).toMatchObject({ code: 'cassette-not-writable', what: expect.stringContaining('full') as unknown });
    }
    expect([...disk.files.keys()]).toEqual([name]);
    expect(disk.bytes(name)).toEqual(before);
  });

  test('refuses a header that is too long or has no time', async () => {
    const disk = new MemoryDisk();
    expect(await refusal(CassetteWriter.create(name, { ...header, command: ['x'.repeat(26_000_000)] }, { disk }))).toMatchObject({ code: 'bad-argument' });
    expect(await refusal(CassetteWriter.create(name, { ...header, startedAt: new Date(Number.NaN) }, { disk }))).toMatchObject({ code: 'bad-argument' });
    expect(disk.files.size).toBe(0);
  });
});

describe('two recordings to one path', () => {
  test('are refused, forced or not, while the first is alive', async () => {
    using folder = new Folder();
    const writer = await CassetteWriter.create(folder.file, header);
    expect(await refusal(CassetteWriter.create(folder.file, header))).toMatchObject({ code: 'cassette-exists' });
    expect(await refusal(CassetteWriter.create(folder.file, header, { force: true }))).toMatchObject({ code: 'cassette-exists', what: expect.stringContaining(`process ${process.pid}`) as unknown });
    await writer.close();
    await record(folder.file, everyKind, { force: true });
    expectSame(readAll(folder.file), asRead(everyKind));
  });

  test('never destroy one another, should the file be taken away meanwhile', async () => {
    const disk = new MemoryDisk();
    const first = await CassetteWriter.create(name, header, { disk });
    for (const event of everyKind) first.append(event);
    await disk.written();
    await disk.unlink(name);
    await record(name, unary(1, 0n, bytes('a'), bytes('b')), { disk });
    const closed = await first.close();
    expect(closed.path).toBe('/a.1.cassette');
    const read = (path: string): Cassette => Cassette.open(path, { source: memorySource(disk.bytes(path)) });
    expect([...read(name).events()]).toHaveLength(6);
    expectSame([...read('/a.1.cassette').events()], asRead(everyKind));
  });
});

describe('a recorder that is killed', () => {
  test('leaves a file with all but the last 100 ms', async () => {
    using folder = new Folder();
    const here = import.meta.dirname;
    const child = fork(join(here, 'talking-recorder.ts'), [folder.file], { execArgv: ['--import', join(here, 'typescript-loader.mjs')] });
    let old = 0;
    let reports = 0;
    for await (const [seq] of iterate<[number]>(child)) {
      old = seq;
      if (++reports === 40) break;
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    using cassette = Cassette.open(folder.file);
    expect(cassette.state).toBe('interrupted');
    const events = [...cassette.events()];
    expect(events.length).toBeGreaterThan(old);
    events.forEach((event, seq) => {
      expect(event.seq).toBe(seq);
      if (event.kind === 'server-message') expect(Buffer.from(event.data ?? []).toString()).toBe(`tick ${seq}`);
    });
    expect(cassette.calls).toHaveLength(1);
    // And its process being gone, the file may be replaced.
    await record(folder.file, everyKind, { force: true });
  });
});

async function* iterate<T extends unknown[]>(child: ReturnType<typeof fork>): AsyncGenerator<T> {
  for (;;) yield (await once(child, 'message')) as T;
}

describe('a disk that is slower than the traffic', () => {
  test('makes append say so, holds a bounded number of bytes, and is told when to go on', async () => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create(name, header, { disk });
    let open: () => void = () => undefined;
    disk.gate = new Promise((done) => (open = done));
    const data = new Uint8Array(32 * 1024);
    let appended = 1;
    while (writer.append(message(1, data))) appended++;
    expect(appended * data.length).toBeGreaterThan(1024 * 1024);
    expect(appended * data.length).toBeLessThan(6 * 1024 * 1024);
    let resumed = false;
    const drained = writer.drained().then(() => (resumed = true));
    await Promise.resolve();
    expect(resumed).toBe(false);
    open();
    await drained;
    expect(writer.append(message(1, data))).toBe(true);
    expect(await writer.close()).toMatchObject({ events: appended + 1 });
    using cassette = Cassette.open(name, { source: memorySource(disk.bytes(name)) });
    expect(cassette.eventCount).toBe(appended + 1);
  });

  test('takes few bytes at a time, and the file is the same', async () => {
    const disk = new MemoryDisk();
    disk.mostPerWrite = 37;
    await record(name, everyKind, { disk });
    using cassette = Cassette.open(name, { source: memorySource(disk.bytes(name)) });
    expect(cassette.state).toBe('whole');
    expectSame([...cassette.events()], asRead(everyKind));
  });

  test('has no more than one write for what trickles in while it is busy', async () => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create(name, header, { disk });
    let open: () => void = () => undefined;
    disk.gate = new Promise((done) => (open = done));
    const before = disk.writes;
    for (let i = 0; i < 6; i++) {
      writer.append(message(1, bytes('x')));
      await new Promise((done) => setTimeout(done, 60));
    }
    open();
    disk.gate = undefined;
    await writer.close();
    using cassette = Cassette.open(name, { source: memorySource(disk.bytes(name)) });
    expect(cassette.eventCount).toBe(6);
    // The first block, what came while it was held, and then the packed file: header twice, block, index, end.
    expect(disk.writes - before).toBeLessThan(10);
  });
});

describe('a disk that fails while recording', () => {
  const data = new Uint8Array(1000).fill(1);

  async function fill(disk: MemoryDisk, options: { fail: () => void }): Promise<{ writer: CassetteWriter; failures: Error[]; appended: number }> {
    const failures: Error[] = [];
    const writer = await CassetteWriter.create(name, header, { disk, onFailure: (error) => failures.push(error) });
    let appended = 0;
    for (; appended < 2000; appended++) {
      if (appended === 500) {
        await disk.written();
        options.fail();
      }
      if (!writer.append(message(1, data, BigInt(appended)))) await writer.drained();
      if (appended % 100 === 0) await new Promise((done) => setImmediate(done));
    }
    return { writer, failures, appended };
  }

  test('loses only what comes after, says so once, counts it, and marks it in the file', async () => {
    const disk = new MemoryDisk();
    const { writer, failures, appended } = await fill(disk, { fail: () => (disk.capacity = disk.used + 300_000) });
    expect(writer.append(message(1, data))).toBe(true);
    await writer.drained();
    const closed = await writer.close();
    expect(failures).toHaveLength(1);
    expect(closed.loss?.error).toMatchObject({ code: 'ENOSPC' });
    const lost = closed.loss?.events ?? 0;
    expect(lost).toBeGreaterThan(1000);
    expect(closed.loss?.bytes).toBe(lost * data.length);
    expect(closed.events).toBe(appended + 1 - lost + 1); // the gap that marks the loss
    const report = verify(name, { source: memorySource(disk.bytes(name)) });
    expect(report.state).toBe('whole');
    expect(report.events).toBe(closed.events);
    expect(report.losses).toHaveLength(1);
    expect(report.losses[0]).toMatchObject({ connection: 0, bytes: lost * data.length, reason: expect.stringMatching(new RegExp(`ENOSPC.* ${lost}$`)) as unknown });
  });

  test('keeps of what is written at once as much as there is room for', async () => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create(name, header, { disk });
    let open = (): void => undefined;
    disk.gate = new Promise((done) => (open = done));
    const large = new Uint8Array(10_000).fill(1);
    for (let time = 0; time < 300; time++) writer.append(message(1, large, BigInt(time)));
    disk.capacity = disk.used + 1_000_000;
    open();
    const closed = await writer.close();
    const lost = closed.loss?.events ?? 0;
    expect(closed.loss?.bytes).toBe(lost * large.length);
    // Three blocks of 256 KiB, with 26 messages each.
    expect(closed.events).toBe(3 * 26 + 1);
    expect(lost).toBe(300 - 3 * 26);
    expect(verify(name, { source: memorySource(disk.bytes(name)) })).toMatchObject({ events: closed.events, damages: [], losses: [{ bytes: lost * large.length }] });
  });

  test('keeps the journal, and says why, when there is no room to pack it', async () => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create(name, header, { disk });
    for (const event of everyKind) writer.append(event);
    await disk.written();
    disk.capacity = disk.used + 100; // enough for an end record
    const closed = await writer.close();
    expect(closed.loss).toBeUndefined();
    expect(closed.packFailure).toMatchObject({ code: 'ENOSPC' });
    expect([...disk.files.keys()]).toEqual([name]);
    expect(closed.bytes).toBe(disk.bytes(name).length);
    using cassette = Cassette.open(name, { source: memorySource(disk.bytes(name)) });
    expect(cassette.state).toBe('whole');
    expectSame([...cassette.events()], asRead(everyKind));
    expect(verify(name, { source: memorySource(disk.bytes(name)) })).toMatchObject({ state: 'whole', packed: false });
  });

  test.each<[string, (disk: MemoryDisk) => void]>([
    ['when the disk fails', (disk) => (disk.broken = new DiskError('EIO'))],
    ['when there is no room to pack it', (disk) => (disk.capacity = disk.used + 100)],
  ])('leaves what stands there, and nothing beside it, %s and it is written aside', async (_when, fail) => {
    const disk = new MemoryDisk();
    const before = await CassetteWriter.create(name, header, { disk });
    await before.close();
    const stands = disk.bytes(name);
    const writer = await CassetteWriter.create(name, header, { disk, force: true, aside: true });
    for (const event of everyKind) writer.append(event);
    await disk.written();
    expect(disk.bytes(name)).toEqual(stands);
    fail(disk);
    const closed = await writer.close();
    expect(closed.loss ?? closed.packFailure).toBeDefined();
    expect([...disk.files.keys()]).toEqual([name]);
    expect(disk.bytes(name)).toEqual(stands);
  });

  test.each(['close', 'leave', 'discard'] as const)('takes its place with all of it, when it is written aside, unless it is given up: %s', async (end) => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create(name, header, { disk, aside: true });
    for (const event of everyKind) writer.append(event);
    expect([...disk.files.keys()]).not.toContain(name);
    await writer[end]();
    expect([...disk.files.keys()]).toEqual(end === 'discard' ? [] : [name]);
    if (end !== 'discard') expect(verify(name, { source: memorySource(disk.bytes(name)) })).toMatchObject({ state: end === 'close' ? 'whole' : 'interrupted', events: everyKind.length });
  });

  test('leaves an interrupted file when nothing at all can be written any more', async () => {
    const disk = new MemoryDisk();
    const { writer } = await fill(disk, { fail: () => (disk.broken = new DiskError('EIO')) });
    const closed = await writer.close();
    expect(closed.loss?.error).toMatchObject({ code: 'EIO' });
    expect(closed.packFailure).toMatchObject({ code: 'EIO' });
    const report = verify(name, { source: memorySource(disk.bytes(name)) });
    expect(report).toMatchObject({ state: 'interrupted', events: closed.events, tail: undefined, damages: [] });
    expect(closed.events + (closed.loss?.events ?? 0)).toBe(2000);
  });

  test('left before its end is interrupted, with all that was appended', async () => {
    using folder = new Folder();
    const writer = await CassetteWriter.create(folder.file, header);
    for (const event of everyKind) writer.append(event);
    const left = await writer.leave();
    expect(await writer.close({ buildkitVersion: 'v1' })).toBe(left);
    expect(left).toEqual({ path: folder.file, bytes: statSync(folder.file).size, events: everyKind.length, calls: 4 });
    using cassette = Cassette.open(folder.file);
    expect([cassette.state, cassette.eventCount, cassette.tail]).toEqual(['interrupted', everyKind.length, undefined]);
    expect(readdirSync(folder.path)).toEqual(['a.cassette']);
  });

  test('closing twice gives the same answer', async () => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create(name, header, { disk });
    expect(await writer.close()).toBe(await writer.close());
  });

  const mounted = process.getuid?.() === 0;
  test.skipIf(!mounted)('is what a real file system does when it is full', async ({ skip }) => {
    using folder = new Folder();
    const small = join(folder.path, 'small');
    mkdirSync(small);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0) skip();
    try {
      const path = join(small, 'a.cassette');
      const failures: Error[] = [];
      const writer = await CassetteWriter.create(path, header, { onFailure: (error) => failures.push(error) });
      for (let i = 0; i < 300; i++) {
        writer.append(message(1, randomBytes(10_000)));
        await new Promise((done) => setImmediate(done));
      }
      const closed = await writer.close();
      expect(failures).toMatchObject([{ code: 'ENOSPC' }]);
      const report = verify(path);
      expect(report.damages).toEqual([]);
      expect(report.events).toBe(closed.events);
      expect(report.events).toBeGreaterThan(50);
      expect(report.losses).toHaveLength(1);
      expect(readdirSync(small)).toEqual(['a.cassette']);
    } finally {
      spawnSync('umount', [small]);
    }
  });
});

describe('events that no cassette keeps', () => {
  test('leave a gap: a body over 64 MiB keeps its size, a giant header list does not', async () => {
    const disk = new MemoryDisk();
    const piece = new Uint8Array(33 * 1024 * 1024);
    const events: NewEvent[] = [
      { kind: 'client-message', time: 1n, connection: 1, call: 1, compressed: true, size: piece.length * 2, data: [whole(piece), whole(piece)] },
      { kind: 'client-header', time: 2n, connection: 1, call: 2, headers: [{ name: 'x', value: new Uint8Array(17 * 1024 * 1024) }] },
      { kind: 'client-half-close', time: 3n, connection: 1, call: 1 },
    ];
    await record(name, events, { disk });
    using cassette = Cassette.open(name, { source: memorySource(disk.bytes(name)) });
    expect([...cassette.events()]).toMatchObject([
      { kind: 'client-message', size: piece.length * 2, compressed: true, data: undefined },
      { kind: 'gap', call: 1, side: 'client', bytes: piece.length * 2 },
      { kind: 'gap', call: 2, side: 'client' },
      { kind: 'client-half-close' },
    ]);
  });
});

describe('a packed cassette', () => {
  test('stores a payload once, however often it crossed', async () => {
    const disk = new MemoryDisk();
    const payload = new Uint8Array(randomBytes(20_000));
    const events = Array.from({ length: 300 }, (_, i) => message(i, payload));
    await record(name, events, { disk });
    expect(disk.bytes(name).length).toBeLessThan(1.5 * payload.length);
    using cassette = Cassette.open(name, { source: memorySource(disk.bytes(name)) });
    expectSame([...cassette.events()], asRead(events));
  });

  test('reads the blocks of a call, not the file', async () => {
    using folder = new Folder();
    const events: NewEvent[] = [];
    for (let i = 1; i <= 400; i++) events.push(...unary(i, BigInt(i), new Uint8Array(randomBytes(100_000)), bytes('ok')));
    const closed = await record(folder.file, events);
    expect(closed.bytes).toBeGreaterThan(40_000_000);
    const file = openSource(folder.file);
    let read = 0;
    const counting: Source = {
      ...file,
      read(target, position) {
        const got = file.read(target, position);
        read += got;
        return got;
      },
    };
    using cassette = Cassette.open(folder.file, { source: counting });
    expect(cassette.calls).toHaveLength(400);
    expect(read).toBeLessThan(50_000);
    expectSame(cassette.call(200), asRead(events).slice(199 * 6, 200 * 6));
    expect(read).toBeLessThan(2_000_000);
  });

  test('reads all events with bounded memory', async () => {
    using folder = new Folder();
    const writer = await CassetteWriter.create(folder.file, header);
    const data = new Uint8Array(randomBytes(64 * 1024));
    for (let i = 0; i < 1500; i++) {
      data[0] = i;
      data[1] = i >> 8;
      if (!writer.append(message(1, data, BigInt(i)))) await writer.drained();
    }
    await writer.close();
    using cassette = Cassette.open(folder.file);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let count = 0;
    let most = 0;
    collect();
    const before = process.memoryUsage().arrayBuffers;
    for (const event of cassette.events()) {
      if (event.kind === 'server-message') count++;
      if (count % 100 !== 0) continue;
      collect();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(count).toBe(1500);
    expect(most).toBeLessThan(50_000_000); // of 98 MB that crossed; freed memory is noticed late
  });
});
