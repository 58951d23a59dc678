import { truncateSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BridgetapeError } from '../../src/errors.js';
import { Cassette, type CassetteEvent, CassetteWriter, type NewEvent, verify } from '../../src/cassette/index.js';
import { memorySource } from '../../src/cassette/disk.js';
import { encode } from '../../src/cassette/v1/msgpack-encoder.js';
import { MemoryDisk } from './memory-disk.js';
import { asRead, bytes, everyKind, expectSame, Folder, header, record, unary } from './recording.js';

const open = (content: Uint8Array): Cassette => Cassette.open('in memory', { source: memorySource(content) });
const check = (content: Uint8Array): ReturnType<typeof verify> => verify('in memory', { source: memorySource(content) });

/** A journal of several records, as a killed recorder leaves it. */
async function journalOf(batches: readonly (readonly NewEvent[])[]): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  const writer = await CassetteWriter.create('/a.cassette', header, { disk });
  for (const batch of batches) {
    for (const event of batch) writer.append(event);
    await disk.written();
  }
  const journal = disk.bytes('/a.cassette');
  await writer.close();
  return journal;
}

async function packedOf(events: readonly NewEvent[]): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  await record('/a.cassette', events, { disk });
  return disk.bytes('/a.cassette');
}

/** Reads all that a reader can be asked for; only BridgetapeError may come out. */
function readEverything(content: Uint8Array): { events: CassetteEvent[]; state: string } | BridgetapeError {
  try {
    using cassette = open(content);
    const events = [...cassette.events()];
    for (const { id } of cassette.calls) cassette.call(id);
    return { events, state: cassette.state };
  } catch (error) {
    if (error instanceof BridgetapeError) return error;
    throw error;
  }
}

function verdict(content: Uint8Array): string {
  try {
    return check(content).state;
  } catch (error) {
    if (error instanceof BridgetapeError) return error.code;
    throw error;
  }
}

/** Offsets of all records: the preamble is 12 bytes, each record 16 and its content. */
function records(content: Uint8Array): { offset: number; kind: string; end: number }[] {
  const view = Buffer.from(content);
  const found = [];
  for (let at = 12; at < view.length; ) {
    const end = at + 16 + view.readUInt32LE(at);
    found.push({ offset: at, kind: view.toString('latin1', at + 8, at + 11), end });
    at = end;
  }
  return found;
}

/** A record with a right checksum around any content. */
function forged(offset: number, kind: string, content: Uint8Array, codec = 0, rawLength = content.length): Buffer {
  const record = Buffer.alloc(16 + content.length);
  record.writeUInt32LE(content.length, 0);
  record.write(kind, 8, 'latin1');
  record[11] = codec;
  record.writeUInt32LE(rawLength, 12);
  record.set(content, 16);
  record.writeUInt32LE(crc32(record.subarray(8), offset), 4);
  return record;
}

function forgedFile(start: Uint8Array, ...contents: readonly (readonly [kind: string, content: Uint8Array, codec?: number, rawLength?: number])[]): Uint8Array {
  let file = Buffer.from(start);
  for (const [kind, content, codec, rawLength] of contents) file = Buffer.concat([file, forged(file.length, kind, content, codec, rawLength)]);
  return new Uint8Array(file);
}

describe('a file that was cut off', () => {
  for (const form of ['journal', 'packed'] as const) {
    test(`at any byte of a ${form} one opens as interrupted with the first of its events`, async () => {
      const whole = form === 'journal' ? await journalOf([everyKind.slice(0, 5), everyKind.slice(5, 11), everyKind.slice(11)]) : await packedOf(everyKind);
      const expected = asRead(everyKind);
      const [first] = records(whole);
      const lengths = new Set<number>();
      for (let length = 0; length < whole.length; length++) {
        const cut = whole.subarray(0, length);
        const read = readEverything(cut);
        if (length < (first?.end ?? 0)) {
          expect(read).toBeInstanceOf(BridgetapeError);
          continue;
        }
        if (read instanceof BridgetapeError) throw read;
        expect(read.state).toBe('interrupted');
        expectSame(read.events, expected.slice(0, read.events.length));
        lengths.add(read.events.length);
        const report = check(cut);
        expect(report.state).toBe('interrupted');
        expect(report.events).toBe(read.events.length);
        expect((report.tail?.offset ?? length) + (report.tail?.bytes ?? 0)).toBe(length);
      }
      expect([...lengths]).toEqual(form === 'journal' ? [0, 5, 11] : [0, everyKind.length]);
    });
  }

  test('while it was being created is refused with a hint, not opened as empty', () => {
    for (const length of [0, 5, 12, 20]) {
      const read = readEverything(new Uint8Array(length));
      expect(read).toBeInstanceOf(BridgetapeError);
    }
  });
});

describe('a file with a damage', () => {
  for (const form of ['journal', 'packed'] as const) {
    test(`of any byte of a ${form} one never throws anything but a BridgetapeError, and verify notices`, async () => {
      const whole = form === 'journal' ? await journalOf([everyKind.slice(0, 9), everyKind.slice(9)]) : await packedOf(everyKind);
      const expected = check(whole).state;
      expect(expected).toBe(form === 'journal' ? 'interrupted' : 'whole');
      const unharmed = readEverything(whole);
      for (let i = 0; i < whole.length; i++) {
        const flipped = new Uint8Array(whole);
        flipped[i] = (flipped[i] ?? 0) ^ (1 << (i % 8));
        const read = readEverything(flipped);
        const said = verdict(flipped);
        if (form === 'packed') expect(said, `byte ${i}`).not.toBe('whole');
        // A journal's last record can't be told from one that was being written.
        else if (said === 'interrupted') expect(check(flipped).tail?.bytes ?? 0).toBeGreaterThan(0);
        if (read instanceof BridgetapeError || unharmed instanceof BridgetapeError) continue;
        // What doesn't show a damage is what was recorded.
        if (read.state === 'whole') expectSame(read.events, unharmed.events);
      }
    });
  }

  test('in the middle of a journal says where, and gives every other record', async () => {
    const whole = await journalOf([everyKind.slice(0, 5), everyKind.slice(5, 11), everyKind.slice(11)]);
    const second = records(whole)[2]!;
    const damaged = new Uint8Array(whole);
    damaged[second.offset + 40]! ^= 1;
    using cassette = open(damaged);
    expect(cassette.state).toBe('damaged');
    expect(cassette.damages).toEqual([{ offset: second.offset, bytes: second.end - second.offset, kind: 'events', reason: 'the checksum is wrong', calls: [1] }]);
    const expected = asRead(everyKind);
    const events = [...cassette.events()];
    expectSame(events.slice(0, 5), expected.slice(0, 5));
    expect(events[5]).toMatchObject({ kind: 'gap', seq: 5, connection: 0 });
    expectSame(events.slice(6), expected.slice(11));
  });

  test('in a length still finds the records behind it', async () => {
    const whole = await journalOf([everyKind.slice(0, 5), everyKind.slice(5, 11), everyKind.slice(11)]);
    const second = records(whole)[2]!;
    for (const byte of [0, 1, 2, 3]) {
      const damaged = new Uint8Array(whole);
      damaged[second.offset + byte]! ^= 0x40;
      const report = check(damaged);
      expect(report).toMatchObject({ state: 'damaged', events: everyKind.length - 6 });
      expect(report.damages[0]).toMatchObject({ offset: second.offset, bytes: second.end - second.offset });
    }
  });

  test('in the header still gives the events', async () => {
    const whole = await packedOf(everyKind);
    whole[30]! ^= 1;
    using cassette = open(whole);
    expect(cassette.state).toBe('damaged');
    expect(cassette.header.tool).toBe('unknown');
    expectSame([...cassette.events()], asRead(everyKind));
  });

  test('in the index or the end record is read without them', async () => {
    const whole = await packedOf(everyKind);
    for (const kind of ['idx', 'end']) {
      const damaged = new Uint8Array(whole);
      const place = records(whole).find((found) => found.kind === kind)!;
      damaged[place.offset + 20]! ^= 1;
      using cassette = open(damaged);
      expect(cassette.calls).toHaveLength(4);
      expectSame([...cassette.events()], asRead(everyKind));
    }
  });

  test('in the list of calls makes the whole index one of no use, and the calls are found without it', async () => {
    const whole = await packedOf(everyKind);
    const damaged = new Uint8Array(whole);
    const list = records(whole).findLast((found) => found.kind === 'idx')!;
    damaged[list.offset + 20]! ^= 1;
    using cassette = open(damaged);
    expect(cassette.state).toBe('damaged');
    using sound = open(whole);
    expect(cassette.calls).toEqual(sound.calls);
    expect(check(damaged).state).toBe('damaged');
  });

  test('of a list of calls that names blocks which are not there shows when that is read', async () => {
    const whole = await packedOf(everyKind);
    const list = records(whole).findLast((found) => found.kind === 'idx')!;
    const end = records(whole).find(({ kind }) => kind === 'end')!;
    const rows = encode(['calls', [[1, 1, '/a.B/C', 0, null, 0, 0, 0, 0, 0, 0, null, [7, 1]]]]);
    using cassette = open(forgedFile(whole.subarray(0, list.offset), ['idx', rows], ['end', whole.subarray(end.offset + 16)]));
    expectSame([...cassette.events()], asRead(everyKind));
    expect(cassette.state).toBe('whole');
    using sound = open(whole);
    expect(cassette.calls).toEqual(sound.calls);
    expect(cassette.state).toBe('damaged');
    expect(cassette.damages).toMatchObject([{ kind: 'index' }]);
  });

  test('in one block of a packed file hits the calls of that block and no others, and verify names them', async () => {
    const events = Array.from({ length: 6000 }, (_, i) => unary(i + 1, BigInt(i) * 5000n, new Uint8Array(50).fill(i), bytes('r'))).flat();
    const whole = await packedOf(events);
    const blocks = records(whole).filter(({ kind }) => kind === 'evt');
    expect(blocks.length).toBeGreaterThan(2);
    const damaged = new Uint8Array(whole);
    damaged[blocks[1]!.offset + 100]! ^= 1;
    const report = check(damaged);
    expect(report.state).toBe('damaged');
    expect(report.damages).toHaveLength(1);
    expect(report.damages[0]).toMatchObject({ offset: blocks[1]!.offset, kind: 'events' });
    const hit = new Set(report.damages[0]!.calls);
    using cassette = open(damaged);
    expect(cassette.state).toBe('whole'); // nothing of it was read yet
    const expected = asRead(events);
    let untouched = 0;
    for (const { id } of cassette.calls) {
      const read = cassette.call(id);
      if (read.some((event) => event.kind === 'gap')) expect(hit.size === 1000 || hit.has(id)).toBe(true);
      else {
        expectSame(read, expected.slice((id - 1) * 6, id * 6));
        untouched++;
      }
    }
    expect(cassette.state).toBe('damaged');
    expect(untouched).toBeGreaterThan(2000);
  });

  test('in a payload block leaves a gap in the place of each message that it held', async () => {
    const payload = new Uint8Array(5000).fill(1);
    const whole = await packedOf(unary(1, 0n, payload, bytes('small')));
    const block = records(whole).find(({ kind }) => kind === 'pay')!;
    whole[block.offset + 20]! ^= 1;
    using cassette = open(whole);
    expect(cassette.call(1).map((event) => event.kind)).toEqual(['client-header', 'gap', 'client-half-close', 'server-header', 'server-message', 'server-trailer']);
    const report = check(whole);
    expect(report.state).toBe('damaged');
    expect(report.damages.map(({ kind, calls }) => [kind, calls])).toContainEqual(['payloads', [1]]);
  });

  test('with something behind the end record is said to be damaged, and read', async () => {
    const whole = await packedOf(everyKind);
    const longer = new Uint8Array(Buffer.concat([whole, Buffer.from('\n')]));
    expect(check(longer)).toMatchObject({ state: 'damaged', events: everyKind.length });
  });

  test('does not take the records of a cassette that crossed inside a payload for its own', async () => {
    const inner = await journalOf([everyKind]);
    const outer = await journalOf([unary(1, 0n, inner, bytes('ok')), unary(2, 0n, bytes('a'), bytes('b'))]);
    const first = records(outer)[1]!;
    outer[first.offset]! ^= 1; // the length of the record around it
    expect(check(outer)).toMatchObject({ state: 'damaged', events: 6, calls: 1 });
  });
});

describe('a file that is no cassette', () => {
  test('is refused, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (content) => {
        expect(readEverything(content)).toBeInstanceOf(BridgetapeError);
      }),
    );
  });

  test('is refused or read, whatever stands behind a good beginning', async () => {
    const start = await packedOf([]);
    const headerEnd = records(start)[0]!.end;
    const kinds = fc.constantFrom('hdr', 'evt', 'pay', 'idx', 'end', 'xyz');
    const content = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(Uint8Array.of(0x93, 0, 0, 0x90), Uint8Array.of(0xdd, 255, 255, 255, 255)));
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, content), { maxLength: 6 }), (parts) => {
        readEverything(forgedFile(start.subarray(0, headerEnd), ...parts));
        verdict(forgedFile(start.subarray(0, headerEnd), ...parts));
      }),
    );
  });

  test('names the version that would be needed', async () => {
    const later = await packedOf(everyKind);
    later[8] = 7;
    expect(() => open(later)).toThrow(/version 7; this bridgetape reads versions up to 1/);
    expect(verdict(later)).toBe('cassette-version');
  });

  test('says so when it looks like one transferred as text', async () => {
    const whole = Buffer.from(await packedOf(everyKind));
    const mangled = Buffer.from(whole.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    expect(() => open(mangled)).toThrow(/transferred as text/);
  });

  test('is named when it does not exist, is a folder, or is a device', () => {
    using folder = new Folder();
    expect(() => Cassette.open(folder.file)).toThrow(expect.objectContaining({ code: 'cassette-not-found' }));
    expect(() => Cassette.open(folder.path)).toThrow(expect.objectContaining({ code: 'not-a-cassette' }));
    expect(() => Cassette.open('/dev/zero')).toThrow(expect.objectContaining({ code: 'not-a-cassette' }));
    writeFileSync(folder.file, '');
    expect(() => Cassette.open(folder.file)).toThrow(expect.objectContaining({ code: 'not-a-cassette' }));
    truncateSync(folder.file, 3);
    expect(() => Cassette.open(folder.file)).toThrow(expect.objectContaining({ code: 'not-a-cassette' }));
  });
});

describe('a hostile file', () => {
  const start = async (): Promise<Uint8Array> => {
    const empty = await packedOf([]);
    return empty.subarray(0, records(empty)[0]!.end);
  };
  const u32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

  const cases: Readonly<Record<string, readonly number[]>> = {
    'a list of four billion events': [0x93, 0, 0, 0xdd, ...u32(0xffff_ffff)],
    'a map of four billion pairs': [0xdf, ...u32(0xffff_ffff)],
    'a payload longer than the record': [0x93, 0, 0, 0x91, 0x97, 5, 0, 1, 1, 0xc2, 5, 0xc6, ...u32(0x7fff_ffff)],
    'nesting without end': Array.from({ length: 5000 }, () => 0x91),
    'an extension type (record)': [0xd4, 0x72, 0x40],
    'an extension type (typed array)': [0xc7, 2, 0x74, 0, 0],
    'a date': [0xd6, 0xff, 0, 0, 0, 0],
    'a float for a number': [0x93, 0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0x90],
    'a negative call': [0x93, 0, 0, 0x91, 0x94, 7, 0, 1, 0xff],
    'an unknown event': [0x93, 0, 0, 0x91, 0x93, 99, 0, 1],
    'a sequence number beyond all': [0x93, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0x91, 0x94, 7, 0, 1, 1],
  };
  for (const [name, content] of Object.entries(cases)) {
    test(`with ${name} is read past`, async () => {
      const file = forgedFile(await start(), ['evt', Uint8Array.from(content)], ['evt', Uint8Array.of(0x93, 0, 0, 0x91, 0x94, 7, 0, 1, 1)]);
      const report = check(file);
      expect(report).toMatchObject({ state: 'damaged', events: 1 });
      expect(readEverything(file)).not.toBeInstanceOf(BridgetapeError);
    });
  }

  test('that unpacks to more than it says is cut short', async () => {
    const bomb = brotliCompressSync(Buffer.alloc(50_000_000));
    const file = forgedFile(await start(), ['evt', bomb, 1, 1000], ['evt', Uint8Array.of(0x93, 0, 0, 0x91, 0x94, 7, 0, 1, 1)]);
    expect(check(file)).toMatchObject({ state: 'damaged', events: 1 });
  });

  test('with millions of tiny values is refused before they are made', async () => {
    const many = Buffer.concat([Uint8Array.of(0x93, 0, 0, 0xdd, ...u32(40_000_000)), Buffer.alloc(40_000_000, 0x90)]);
    const packed = brotliCompressSync(many);
    const before = process.memoryUsage().heapUsed;
    const report = check(forgedFile(await start(), ['evt', packed, 1, many.length], ['evt', Uint8Array.of(0x93, 0, 0, 0x91, 0x94, 7, 0, 1, 1)]));
    expect(report.damages[0]?.reason).toMatch(/more than 1048576 values/);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  });

  test('whose index points anywhere is scanned instead', async () => {
    const whole = await packedOf(everyKind);
    const end = records(whole).find(({ kind }) => kind === 'end')!;
    for (const target of [0, 12, 40, end.offset, whole.length, 2 ** 52]) {
      const content = Buffer.from(whole.subarray(end.offset + 16));
      content.writeBigUInt64BE(BigInt(target), 2);
      const file = forgedFile(whole.subarray(0, end.offset), ['end', content]);
      const read = readEverything(file);
      if (read instanceof BridgetapeError) throw read;
      expect(read.state).toBe('damaged');
      expectSame(read.events, asRead(everyKind));
    }
  });

  test('full of things that look like frames is given up in bounded time', async () => {
    const looksLike = Buffer.alloc(16);
    looksLike.writeUInt32LE(1_500_000, 0);
    looksLike.write('evt', 8, 'latin1');
    looksLike.writeUInt32LE(1_500_000, 12);
    const body = Buffer.alloc(3_000_000, looksLike);
    const began = performance.now();
    expect(verdict(new Uint8Array(Buffer.concat([await start(), body])))).not.toBe('whole');
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
