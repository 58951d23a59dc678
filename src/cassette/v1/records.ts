/**
 * One record at a time: found by its offset, checked and unpacked. What can't be read is `Unreadable`, which
 * stays inside this folder; readers turn it into a `Damage`.
 */
import { brotliDecompressSync, constants } from 'node:zlib';
import type { Source } from '../disk.js';
import { PAYLOAD_BLOCK } from './bounds.js';
import { checksum, type Frame, FRAME_LENGTH, parseFrame, PREAMBLE_LENGTH } from './frame.js';
import { decodeHeader, type HeaderRecord } from './header-record.js';
import { decodeEnd, type End, END_CONTENT_LENGTH } from './index-record.js';
import { Malformed } from './msgpack.js';

/** A part of the file that can't be read. */
export interface Damage {
  readonly offset: number;
  readonly bytes: number;
  /** What stood there, as far as that can be known. */
  readonly kind: 'header' | 'events' | 'payloads' | 'index' | 'end' | 'unknown';
  readonly reason: string;
  /** Calls that are hit: of an indexed block those that it holds, else those that were running there. */
  readonly calls: readonly number[];
}

const kindNames = { hdr: 'header', evt: 'events', pay: 'payloads', idx: 'index', end: 'end' } as const;

export interface ReadableRecord {
  readonly offset: number;
  readonly frame: Frame;
  /** Offset behind the record. */
  readonly next: number;
  /** The content, unpacked. */
  readonly raw: Uint8Array;
}

/** Thrown inside this folder when a record can't be read. */
export class Unreadable extends Error {
  constructor(readonly damage: Omit<Damage, 'calls'>) {
    super(damage.reason);
  }
}

/** Reads the record whose frame stands at the offset: length, CRC, codec. */
export function readRecord(source: Source, offset: number): ReadableRecord {
  const unreadable = (bytes: number, kind: Damage['kind'], reason: string): Unreadable => new Unreadable({ offset, bytes, kind, reason });
  const head = Buffer.alloc(FRAME_LENGTH);
  if (source.read(head, offset) < FRAME_LENGTH) throw unreadable(Math.max(0, source.size - offset), 'unknown', 'the file ends inside a record');
  const frame = parseFrame(head);
  if (frame === undefined) throw unreadable(FRAME_LENGTH, 'unknown', 'no record begins here');
  const kind = kindNames[frame.kind];
  const length = FRAME_LENGTH + frame.storedLength;
  if (offset + length > source.size) throw unreadable(source.size - offset, kind, 'the file ends inside the record');
  const record = Buffer.allocUnsafeSlow(length);
  record.set(head);
  if (source.read(record.subarray(FRAME_LENGTH), offset + FRAME_LENGTH) < frame.storedLength) throw unreadable(source.size - offset, kind, 'the file ends inside the record');
  if (checksum(record, offset) !== frame.crc) throw unreadable(length, kind, 'the checksum is wrong');
  try {
    return { offset, frame, next: offset + length, raw: unpack(record.subarray(FRAME_LENGTH), frame) };
  } catch (error) {
    throw unreadable(length, kind, `the record cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is made room for on a frame's word alone; longer ones are unpacked in pieces. */
const UNPACKED_AT_ONCE = 2 * PAYLOAD_BLOCK + 1;

function unpack(content: Uint8Array, frame: Frame): Uint8Array {
  if (frame.codec === 'plain') return content;
  const raw = brotliDecompressSync(content, {
    maxOutputLength: Math.max(1, frame.rawLength),
    // An octet more than it takes: with none left over zlib makes room for more, and joins what it has to it.
    chunkSize: Math.min(Math.max(frame.rawLength + 1, 1024), UNPACKED_AT_ONCE),
    params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 0 },
  });
  if (raw.length !== frame.rawLength) throw new Malformed(`${raw.length} bytes came out, not ${frame.rawLength}`);
  return raw;
}

export function tryRecord(source: Source, offset: number): ReadableRecord | undefined {
  try {
    return readRecord(source, offset);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** The end record, when the file closes with one. */
export function findEnd(source: Source): { readonly end: End; readonly offset: number } | undefined {
  const offset = source.size - FRAME_LENGTH - END_CONTENT_LENGTH;
  if (offset < PREAMBLE_LENGTH) return undefined;
  const record = tryRecord(source, offset);
  if (record?.frame.kind !== 'end' || record.next !== source.size) return undefined;
  try {
    return { end: decodeEnd(record.raw), offset };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

export function readHeader(source: Source): HeaderRecord {
  const record = readRecord(source, PREAMBLE_LENGTH);
  if (record.frame.kind !== 'hdr') {
    throw new Unreadable({ offset: PREAMBLE_LENGTH, bytes: record.next - PREAMBLE_LENGTH, kind: 'header', reason: 'the first record is not a header' });
  }
  try {
    return decodeHeader(record.raw);
  } catch (error) {
    if (error instanceof Malformed) throw new Unreadable({ offset: PREAMBLE_LENGTH, bytes: record.next - PREAMBLE_LENGTH, kind: 'header', reason: error.message });
    throw error;
  }
}

/** The process that is (or was, when it died) recording to the file; undefined for anything else. */
export function recorderOf(source: Source): number | undefined {
  try {
    if (findEnd(source) !== undefined) return undefined;
    return readHeader(source).recorder;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

