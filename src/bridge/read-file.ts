/** Requests about one file of a result (ReadFile, StatFile), and their answers, made from another file's contents. */
import { messageField, numberField, stringField, tryDecode } from './message.js';
import { READ_FILE, STAT_FILE } from './methods.js';
import { bytesField, concat, fieldExtents, varintField, WireFormatError } from './wire-format.js';

export interface FileRequest {
  readonly asks: 'contents' | 'stat';
  /** The result that the file is read from. */
  readonly ref: string;
  /** Without `/` or `./` at its beginning. */
  readonly name: string;
  /** Bytes; undefined: all of them. */
  readonly range: { readonly offset: number; readonly length: number } | undefined;
}

/** Reads a request about a file; undefined when it is none. */
export function fileRequest(path: string, payload: Uint8Array): FileRequest | undefined {
  const asks = path === READ_FILE ? 'contents' : path === STAT_FILE ? 'stat' : undefined;
  if (asks === undefined) return undefined;
  const message = tryDecode(asks === 'contents' ? 'moby.buildkit.v1.frontend.ReadFileRequest' : 'moby.buildkit.v1.frontend.StatFileRequest', payload);
  if (message instanceof WireFormatError) return undefined;
  const range = messageField(message, 'Range');
  return {
    asks,
    ref: stringField(message, 'Ref'),
    name: stringField(message, asks === 'contents' ? 'FilePath' : 'Path').replace(/^(?:\.?\/+)+/, ''),
    range: range && { offset: numberField(range, 'Offset'), length: numberField(range, 'Length') },
  };
}

/** A ReadFileResponse with so much of the contents as was asked for (cache/util/fsutil.go). */
export function contentsAnswer(data: Uint8Array, range: FileRequest['range']): Uint8Array {
  return bytesField(1, range === undefined ? data : data.subarray(Math.max(0, range.offset), Math.max(0, range.offset) + Math.max(0, range.length)));
}

/** Numbers in fsutil's Stat. */
const MODE = 2;
const SIZE = 5;
const PLAIN_FILE = 0o644;

/**
 * A StatFileResponse for contents of another size.
 *
 * @param recorded the answer about the recorded file, of which all else stays; undefined when there was none
 */
export function statAnswer(name: string, size: number, recorded: Uint8Array | undefined): Uint8Array {
  const before = recorded && statIn(recorded);
  const kept = before === undefined ? [bytesField(1, Buffer.from(name.slice(name.lastIndexOf('/') + 1))), varintField(MODE, PLAIN_FILE)] : before;
  return bytesField(1, concat([...kept, varintField(SIZE, size)]));
}

/** The fields of the Stat in an answer, but for the size. */
function statIn(answer: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    const stat = fieldExtents(answer).find(({ field }) => field.number === 1)?.field.value;
    if (!(stat instanceof Uint8Array)) return undefined;
    return fieldExtents(stat).filter(({ field }) => field.number !== SIZE).map(({ start, end }) => stat.subarray(start, end));
  } catch (error) {
    if (error instanceof WireFormatError) return undefined;
    throw error;
  }
}
