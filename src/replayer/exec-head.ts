/**
 * The beginning of an ExecMessage, read without decoding it. A process can print a hundred thousand messages: to
 * sort them by process, and to send them under another process's id, nothing more is needed (bench: 64 B exec output).
 */

/** The numbers of ExecMessage's inputs (proto/, gateway.proto). */
export const EXEC_INPUT = { init: 2, file: 3, resize: 4, started: 5, exit: 6, done: 7, signal: 8 } as const;

export interface ExecHead {
  readonly process: string;
  /** The field number of the one input that it carries. */
  readonly input: number;
  /** Where the ProcessID ends. */
  readonly idEnd: number;
}

/** Field 1, wire type 2. */
const PROCESS_ID_TAG = 0x0a;
/** A length or tag below this is one byte. */
const CONTINUES = 0x80;
/** What a length of three more bytes can say at most; a longer message is decoded the long way. */
const MAX_LENGTH_BYTES = 4;

/**
 * Reads a message that is laid out as every protobuf encoder does: ProcessID, one input, the end.
 *
 * @returns undefined for any other layout, which may well be an ExecMessage
 */
export function readExecHead(payload: Uint8Array): ExecHead | undefined {
  const idLength = payload[1] ?? CONTINUES;
  if (payload[0] !== PROCESS_ID_TAG || idLength >= CONTINUES) return undefined;
  const idEnd = 2 + idLength;
  const tag = payload[idEnd] ?? 0;
  const input = tag >> 3;
  if (tag >= CONTINUES || (tag & 7) !== 2 || input < EXEC_INPUT.init || input > EXEC_INPUT.signal) return undefined;
  let length = 0;
  let at = idEnd + 1;
  for (let index = 0; index < MAX_LENGTH_BYTES; index += 1) {
    const byte = payload[at] ?? CONTINUES;
    length += (byte & 0x7f) * 128 ** index;
    at += 1;
    if (byte < CONTINUES) {
      if (at + length !== payload.length) return undefined;
      return { process: Buffer.from(payload.buffer, payload.byteOffset + 2, idLength).toString('utf8'), input, idEnd };
    }
  }
  return undefined;
}

/** The beginning of a message of a process: the field ProcessID. Undefined for an id too long for one length byte. */
export function processIdField(process: string): Uint8Array | undefined {
  const id = Buffer.from(process, 'utf8');
  return id.length < CONTINUES ? Buffer.concat([Uint8Array.of(PROCESS_ID_TAG, id.length), id]) : undefined;
}
