/**
 * The digests that a daemon of v0.17 or later gives to the ops of an older client (solver/llbsolver/vertex.go,
 * recomputeDigests): it writes each op anew, with the oneof behind all other fields where older versions have it in between.
 */
import { sha256, type GraphOp } from './graph.js';
import { rewriteIds } from './rewrite-ids.js';
import { messageType } from './schema.js';
import { readFields, WireFormatError, writeFields, type RawField } from './wire-format.js';

const NONE: ReadonlyMap<string, string> = new Map();
/** The number of the field with an op's inputs. */
const INPUTS = 1;
const VARINT = 0;
const BYTES = 2;

const isInOneof = (number: number): boolean => messageType('pb.Op')?.fields.get(number)?.oneof !== undefined;

/**
 * @param order inputs before the ops that have them
 * @returns by an op's digest the other one; empty where no op was written by an older client
 */
export function respelledDigests(order: readonly GraphOp[]): ReadonlyMap<string, string> {
  if (!order.some(({ bytes }) => isOlder(bytes))) return NONE;
  const found = new Map<string, string>();
  for (const { digest, bytes, op } of order) {
    if (op instanceof WireFormatError) continue;
    const fields = readFields(bytes);
    const [oneof, others] = [fields.filter(({ number }) => isInOneof(number)), fields.filter(({ number }) => !isInOneof(number))];
    const other = sha256(writeFields([...others.map((field) => withInputs(field, found)), ...oneof]));
    if (other !== digest) found.set(digest, other);
  }
  return found;
}

function withInputs(field: RawField, digests: ReadonlyMap<string, string>): RawField {
  return field.number === INPUTS && field.wire === 'bytes' ? { ...field, value: rewriteIds(field.value, digests) } : field;
}

/** Whether a field stands behind the oneof. Looks at tags and lengths alone: it is asked of every op (bench: diff). */
function isOlder(bytes: Uint8Array): boolean {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 0x80) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  };
  let hasOneof = false;
  while (at < bytes.length) {
    if (hasOneof) return true;
    const tag = varint();
    const wire = tag % 8;
    // No field of an op has another wire type.
    if (wire !== VARINT && wire !== BYTES) return false;
    const value = varint();
    if (wire === BYTES) at += value;
    hasOneof = isInOneof(Math.floor(tag / 8));
  }
  return false;
}
