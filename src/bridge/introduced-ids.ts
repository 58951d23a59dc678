/** The ids that a daemon gives out in its answers, for its client to refer to: of results, and of workers. */
import { parseJson } from './json.js';
import { bytesFieldOf, isMessage, stringField, tryDecode, type Message, type Value } from './message.js';
import { idsIn } from './identity.js';
import { WireFormatError } from './wire-format.js';

export interface IntroducedId {
  readonly kind: 'ref' | 'worker' | 'result';
  readonly id: string;
  /** Where in the answer: two answers that mean the same give out their ids at the same places. */
  readonly at: string;
}

const FRONTEND = 'moby.buildkit.v1.frontend';

/** Where ids are given out: full name of the message, name of the field (BuildKit frontend/gateway/gateway.go, worker/base/worker.go). */
const INTRODUCING: readonly { readonly kind: 'ref' | 'worker'; readonly message: string; readonly field: string }[] = [
  { kind: 'ref', message: `${FRONTEND}.Ref`, field: 'id' },
  { kind: 'ref', message: `${FRONTEND}.Result`, field: 'refDeprecated' },
  { kind: 'ref', message: `${FRONTEND}.RefMapDeprecated`, field: 'refs' },
  { kind: 'ref', message: `${FRONTEND}.SolveResponse`, field: 'ref' },
  { kind: 'worker', message: 'moby.buildkit.v1.types.WorkerRecord', field: 'ID' },
];

/** The error detail that names the inputs and mounts of a failed op as `<worker>::<result>` (solver/errdefs/solve.go). */
const SOLVE_DETAIL = 'github.com/moby/buildkit/errdefs.Solve+json';
/** Messages within each other: results and details are a few levels deep. */
const MAX_LEVELS = 8;

/** @param typeName full name of the answer's type; nothing is found in bytes that are none */
export function introducedIds(typeName: string, payload: Uint8Array): readonly IntroducedId[] {
  return introducedIn(tryDecode(typeName, payload));
}

export function introducedIn(message: Message | WireFormatError): readonly IntroducedId[] {
  const found: IntroducedId[] = [];
  if (!(message instanceof WireFormatError)) collect(message, '', 0, found);
  return found;
}

function collect(message: Message, at: string, level: number, found: IntroducedId[]): void {
  if (level > MAX_LEVELS || message.type.name === 'pb.Definition') return;
  if (message.type.name === 'google.protobuf.Any') {
    collectFromDetail(message, at, found);
    return;
  }
  for (const entry of message.entries) {
    const kind = INTRODUCING.find((row) => row.message === message.type.name && row.field === entry.field.name)?.kind;
    const take = (place: string, value: Value): void => {
      if (isMessage(value)) collect(value, place, level + 1, found);
      else if (kind !== undefined && typeof value === 'string' && value !== '') found.push({ kind, id: value, at: place });
    };
    const place = `${at}.${entry.field.name}`;
    if (entry.label === 'one') take(place, entry.value);
    else if (entry.label === 'repeated') entry.values.forEach((value, index) => take(`${place}[${index}]`, value));
    else for (const { key, value } of entry.entries) take(`${place}[${String(key)}]`, value);
  }
}

function collectFromDetail(any: Message, at: string, found: IntroducedId[]): void {
  if (stringField(any, 'type_url') !== SOLVE_DETAIL) return;
  const detail = parseJson(bytesFieldOf(any, 'value'))?.json;
  if (typeof detail !== 'object' || detail === null) return;
  for (const [name, list] of Object.entries(detail)) {
    if (!/^(?:input|mount)IDs$/i.test(name) || !Array.isArray(list)) continue;
    list.forEach((item: unknown, index) => {
      if (typeof item === 'string') idsIn(item).forEach((id, part) => found.push({ kind: 'result', id, at: `${at}.${name}[${index}].${part}` }));
    });
  }
}
