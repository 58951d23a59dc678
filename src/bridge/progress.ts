/** Answers of Control/Status, taken apart: the same build tells the same of itself in each run, at other times and in other pieces. */
import { wholeText } from './canonical.js';
import { messageType } from './schema.js';
import { fieldExtents, WireFormatError } from './wire-format.js';

/** A step, a part of one, a piece of its output, or a warning. */
export interface ProgressEntry {
  /** All that it says, but not when: equal for entries that tell the same. */
  readonly text: string;
  /** Its bytes within the answer; those of several make an answer again. */
  readonly bytes: Uint8Array;
}

const STATUS_RESPONSE = 'moby.buildkit.v1.StatusResponse';
/** That a step has begun or ended says something, when it did does not. */
const TIME = /^(started|completed|timestamp)\b.*$/gm;

/** @returns undefined when the bytes are no StatusResponse */
export function progressEntries(payload: Uint8Array): readonly ProgressEntry[] | undefined {
  const fields = messageType(STATUS_RESPONSE)?.fields;
  try {
    return fieldExtents(payload).map(({ field, start, end }) => {
      const type = fields?.get(field.number)?.type;
      const value = field.value instanceof Uint8Array ? field.value : new Uint8Array();
      const text = wholeText(type?.kind === 'message' ? type.name : undefined, value);
      const said = new Set(text.replace(TIME, '$1').split('\n'));
      return { text: `${field.number}\n${[...said].join('\n')}`, bytes: payload.subarray(start, end) };
    });
  } catch (error) {
    if (error instanceof WireFormatError) return undefined;
    throw error;
  }
}
