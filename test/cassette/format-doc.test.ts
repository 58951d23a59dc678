/** Keeps docs/cassette-format.md honest: its bytes are read here by a reader written from that page alone. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, crc32 } from 'node:zlib';
import { unpack } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { Cassette, verify } from '../../src/cassette/index.js';
import { memorySource } from '../../src/cassette/disk.js';
import { asRead, expectSame } from './recording.js';
import { sampleEvents, sampleHeader, sampleJournal, samplePacked } from './sample.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/cassette-format.md'), 'utf8');

/** The bytes of a code block on the page; each line says its own offset. */
function shown(name: string): Buffer {
  const block = new RegExp(`\`\`\`hex ${name}\n([^\`]*)\`\`\``).exec(page)?.[1];
  if (block === undefined) throw new Error(`the page shows no ${name}`);
  let bytes = Buffer.alloc(0);
  for (const line of block.trimEnd().split('\n')) {
    const [, offset, hex] = /^([0-9a-f]{4}) {2}((?:[0-9a-f]{2}(?: |$))+)/.exec(line) ?? [];
    if (offset === undefined || hex === undefined) throw new Error(`not a line of bytes: ${line}`);
    expect(Number.parseInt(offset, 16)).toBe(bytes.length);
    bytes = Buffer.concat([bytes, Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
  }
  return bytes;
}

interface Rec {
  kind: string;
  offset: number;
  value: unknown[];
}

function records(file: Buffer): Rec[] {
  expect(file.subarray(0, 8).toString('latin1')).toBe('\x89BTP\r\n\x1a\n');
  expect(file.readUInt32LE(8)).toBe(1);
  const found: Rec[] = [];
  for (let offset = 12; offset < file.length; ) {
    const stored = file.readUInt32LE(offset);
    const end = offset + 16 + stored;
    expect(file.readUInt32LE(offset + 4)).toBe(crc32(file.subarray(offset + 8, end), offset));
    const content = file.subarray(offset + 16, end);
    const raw = file[offset + 11] === 1 ? brotliDecompressSync(content) : content;
    expect(raw.length).toBe(file.readUInt32LE(offset + 12));
    found.push({ kind: file.toString('latin1', offset + 8, offset + 11), offset, value: unpack(raw) as unknown[] });
    offset = end;
  }
  return found;
}

describe('the bytes on the page', () => {
  test('of the journal are what a recorder writes', () => {
    expect(shown('journal').equals(sampleJournal())).toBe(true);
    using cassette = Cassette.open('the page', { source: memorySource(shown('journal')) });
    expect(cassette.state).toBe('interrupted');
    expect(cassette.header).toEqual({ ...sampleHeader, formatVersion: 1 });
    expect([...cassette.events()].map((event) => event.kind)).toEqual(['connection-open', 'client-header', 'client-message', 'client-half-close', 'server-trailer']);
  });

  test('of the packed form hold the recording that the page tells of', () => {
    const file = shown('packed');
    expect(verify('the page', { source: memorySource(file) })).toMatchObject({ state: 'whole', packed: true, events: 6, calls: 1, connections: 1 });
    using cassette = Cassette.open('the page', { source: memorySource(file) });
    expectSame([...cassette.events()], asRead(sampleEvents));
    expect(cassette.header).toEqual({ ...sampleHeader, formatVersion: 1 });
  });

  test('of the packed form have the contents that the writer makes, however a brotli packs them', async () => {
    const now = records(Buffer.from(await samplePacked()));
    const then = records(shown('packed'));
    expect(now.map(({ kind }) => kind)).toEqual(then.map(({ kind }) => kind));
    const contents = (list: Rec[]): unknown[] => list.filter(({ kind }) => kind === 'hdr' || kind === 'evt' || kind === 'pay').map(({ value }) => value);
    expect(contents(now)).toEqual(contents(then));
  });

  test('can be read by following the page: end, index, call, blocks, payload', () => {
    const file = shown('packed');
    const all = records(file);
    const end = unpack(file.subarray(-64)) as unknown[];
    expect(all.at(-1)).toMatchObject({ kind: 'end', offset: file.length - 80 });
    const [indexOffset, indexRecords, ...totals] = end.map(Number);
    expect(totals).toEqual([6, 1, 1, 1, 1_350_300]);
    const index = all.filter(({ offset, kind }) => kind === 'idx' && offset >= (indexOffset ?? 0));
    expect(index).toHaveLength(indexRecords ?? 0);
    const sections = Object.fromEntries(index.map(({ value }) => value as [string, unknown[][]]));
    const [call] = sections['calls'] ?? [];
    expect(call).toEqual([1, 1, '/s/M', 1_050_000, 1_350_300, 1, 1, 2, 1200, 0, 0, [0, 0, ''], [0, 1]]);
    const [block] = sections['events'] ?? [];
    const batch = all.find(({ offset }) => offset === block?.[0])?.value;
    const response = (batch?.[2] as unknown[][]).find(([code]) => code === 6);
    expect(response?.slice(3)).toEqual([1, false, 1200, 0]);
    const [place] = sections['payloads'] ?? [];
    const payloads = all.find(({ offset }) => offset === place?.[0])?.value as [number, number[], Buffer, Buffer];
    expect(payloads[1]).toEqual([1200]);
    expect(payloads[3].toString()).toBe('x'.repeat(1200));
    expect(createHash('sha256').update(payloads[3]).digest().equals(payloads[2])).toBe(true);
  });
});

describe('the bounds on the page', () => {
  test('are those of the code', async () => {
    const bounds = await import('../../src/cassette/v1/bounds.js');
    const MiB = 1024 * 1024;
    const row = (name: string): string | undefined => page.split('\n').find((line) => line.startsWith(`| ${name}`))?.split('|').at(-2)?.trim();
    expect(row('content of a record')).toBe(`${bounds.MAX_RAW / MiB} MiB`);
    expect(row('header record')).toBe(`${bounds.MAX_HEADER / MiB} MiB`);
    expect(row('one message body')).toBe(`${bounds.MAX_MESSAGE / MiB} MiB`);
    expect(row('one event')).toBe(`${bounds.MAX_EVENT / MiB} MiB`);
    expect(row('header fields')).toBe(bounds.MAX_HEADER_FIELDS.toLocaleString('en'));
    expect(row('msgpack values')).toBe(bounds.MAX_VALUES.toLocaleString('en'));
    expect(row('nesting')).toBe(String(bounds.MAX_DEPTH));
    expect(row('index, all')).toBe(`${bounds.MAX_INDEX / MiB} MiB`);
    expect(row('calls, connections')).toBe(`${bounds.MAX_CALLS.toLocaleString('en')}, ${bounds.MAX_CONNECTIONS.toLocaleString('en')}`);
    expect(row('blocks of')).toBe(`${bounds.MAX_BLOCKS.toLocaleString('en')} each`);
    expect(row('numbers in')).toBe(bounds.MAX_RUNS.toLocaleString('en'));
  });
});
