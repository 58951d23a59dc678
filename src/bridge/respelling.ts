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

const isInOneof = ({ number }: RawField): boolean => messageType('pb.Op')?.fields.get(number)?.oneof !== undefined;

/**
 * @param order inputs before the ops that have them
 * @returns by an op's digest the other one; empty where no op was written by an older client
 */
export function respelledDigests(order: readonly GraphOp[]): ReadonlyMap<string, string> {
  const read = order.map(({ digest, bytes }) => ({ digest, fields: fieldsOf(bytes) }));
  if (!read.some(({ fields }) => isOlder(fields))) return NONE;
  const found = new Map<string, string>();
  for (const { digest, fields } of read) {
    const other = sha256(writeFields([...fields.filter((field) => !isInOneof(field)).map((field) => withInputs(field, found)), ...fields.filter(isInOneof)]));
    if (other !== digest && fields.length > 0) found.set(digest, other);
  }
  return found;
}

/** None of what is no message. */
function fieldsOf(bytes: Uint8Array): readonly RawField[] {
  try {
    return readFields(bytes);
  } catch (error) {
    if (error instanceof WireFormatError) return [];
    throw error;
  }
}

function isOlder(fields: readonly RawField[]): boolean {
  const at = fields.findIndex(isInOneof);
  return at !== -1 && at < fields.length - 1;
}

function withInputs(field: RawField, digests: ReadonlyMap<string, string>): RawField {
  return field.number === INPUTS && field.wire === 'bytes' ? { ...field, value: rewriteIds(field.value, digests) } : field;
}
