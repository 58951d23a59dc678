/**
 * The frame around every record, and the preamble of the file. See docs/cassette-format.md, "Records".
 *
 *   0  u32  stored length: bytes of content that follow the frame
 *   4  u32  CRC-32 of everything behind this field, started from the record's offset in the file
 *   8  3 B  kind, ASCII
 *  11  u8   codec: 0 plain, 1 brotli
 *  12  u32  raw length: bytes of content when unpacked
 *
 * Starting the CRC from the offset makes a record valid only where it was written: the records of a cassette
 * that crossed inside a payload are never taken for this file's when a reader looks for the next whole one.
 */
import { crc32 } from 'node:zlib';
import { FORMAT_VERSION, MAX_RAW, MAX_STORED } from './bounds.js';

/** Not ASCII, both line endings, an end-of-file mark: a transfer that takes it for text is noticed at once. */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x42, 0x54, 0x50, 0x0d, 0x0a, 0x1a, 0x0a);
export const PREAMBLE_LENGTH = 12;
export const FRAME_LENGTH = 16;

const kinds = ['hdr', 'evt', 'pay', 'idx', 'end'] as const;
export type RecordKind = (typeof kinds)[number];

const tag = (a: number, b: number, c: number): number => (a << 16) | (b << 8) | c;
const kindOf: ReadonlyMap<number, RecordKind> = new Map(kinds.map((kind) => [tag(kind.charCodeAt(0), kind.charCodeAt(1), kind.charCodeAt(2)), kind]));

export const codecs = { plain: 0, brotli: 1 } as const;
export type Codec = keyof typeof codecs;

export function preamble(): Uint8Array {
  const bytes = Buffer.alloc(PREAMBLE_LENGTH);
  bytes.set(MAGIC);
  bytes.writeUInt32LE(FORMAT_VERSION, MAGIC.length);
  return bytes;
}

export interface Frame {
  readonly kind: RecordKind;
  readonly codec: Codec;
  readonly storedLength: number;
  readonly rawLength: number;
  readonly crc: number;
}

/** Writes the frame into the first 16 bytes of `record`, whose content is already in place. */
export function seal(record: Buffer, offset: number, kind: RecordKind, codec: Codec, rawLength: number): void {
  record.writeUInt32LE(record.length - FRAME_LENGTH, 0);
  record.write(kind, 8, 'latin1');
  record[11] = codecs[codec];
  record.writeUInt32LE(rawLength, 12);
  record.writeUInt32LE(checksum(record, offset), 4);
}

/** A whole record around content that stands elsewhere. */
export function frame(content: Uint8Array, offset: number, kind: RecordKind, codec: Codec, rawLength: number): Buffer {
  const record = Buffer.allocUnsafe(FRAME_LENGTH + content.length);
  record.set(content, FRAME_LENGTH);
  seal(record, offset, kind, codec, rawLength);
  return record;
}

export function checksum(record: Uint8Array, offset: number): number {
  return crc32(record.subarray(8), offset >>> 0);
}

/** Reads a frame; undefined when these 16 bytes can't be one. */
export function parseFrame(bytes: Uint8Array, at = 0): Frame | undefined {
  if (bytes.length < at + FRAME_LENGTH) return undefined;
  const codec = bytes[at + 11] === codecs.plain ? 'plain' : bytes[at + 11] === codecs.brotli ? 'brotli' : undefined;
  if (codec === undefined) return undefined;
  const kind = kindOf.get(tag(bytes[at + 8] ?? 0, bytes[at + 9] ?? 0, bytes[at + 10] ?? 0));
  if (kind === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_LENGTH);
  const storedLength = view.getUint32(0, true);
  const rawLength = view.getUint32(12, true);
  if (storedLength > MAX_STORED || rawLength > MAX_RAW) return undefined;
  if (codec === 'plain' && rawLength !== storedLength) return undefined;
  return { kind, codec, storedLength, rawLength, crc: view.getUint32(4, true) };
}
