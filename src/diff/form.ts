/**
 * Messages of one recording as they are compared: in canonical form, ids by their roles, and what has two spellings in the
 * newer one. A form is a key for finding a message's like, or fields for telling how two differ.
 */
import { hash } from 'node:crypto';
import {
  asSourceMetaRequest,
  asSourceMetaResponse,
  BRIDGE,
  BRIDGE_SOLVE,
  bytesField,
  canonicalMessage,
  concat,
  CONTROL,
  decodeStatus,
  EXEC_PROCESS,
  headerText,
  introducedIds,
  isWrittenOneWay,
  KnownOps,
  methodOf,
  PING,
  ReadAnswer,
  RESOLVE_IMAGE_CONFIG,
  RESOLVE_SOURCE_META,
  SOLVE,
  varintField,
  type Canonical,
  type CanonicalField,
  type DefinedId,
  type IdMap,
  type IntroducedId,
  type Rules,
} from '../bridge/index.js';
import { Memo } from '../passing.js';
import { detailsByType } from './details.js';
import { readExec } from './exec.js';
import { Ids, withoutAnyId, type SideName } from './ids.js';
import type { RecordedCall } from './recorded.js';
import { withoutMountPaths } from './world-rules.js';

/** Longer byte values are compared by digest: nobody reads more of one in a report. */
const MAX_PLAIN_BYTES = 1024 * 1024;
/** Requests whose names were read are remembered, so that one that comes again costs nothing. */
const REMEMBERED = 256;

const STATUS = 'google.rpc.Status';

/** Equal keys and equal ids: the same. */
export interface Form {
  readonly key: string;
  readonly ids: readonly number[];
}

/** A message and its type. */
interface Typed {
  readonly type: string | undefined;
  readonly payload: Uint8Array;
}

/** Has its key when the ops of both recordings are known. */
class Draft implements Form {
  private found: string | undefined;

  /** @param source of a text that mentions ops: by that, its key is found */
  constructor(
    private readonly text: string,
    readonly ids: readonly number[],
    private readonly source?: Ids,
  ) {}

  get key(): string {
    if (this.source === undefined) return this.text;
    this.found ??= digestOf(this.source.withoutOtherOps(this.text));
    return this.found;
  }
}

const NONE: readonly IntroducedId[] = [];
const NONE_DEFINED: readonly DefinedId[] = [];
const NOTHING = new Draft('', []);
const digestOf = (data: string | Uint8Array): string => hash('sha256', data, 'base64');

/** The method under which a call is compared. */
export function methodKey({ path }: Pick<RecordedCall, 'path'>): string {
  return path === RESOLVE_IMAGE_CONFIG ? RESOLVE_SOURCE_META : path;
}

export class Forms {
  readonly ids: Ids;
  /** By the number of the call: they are numbered without large holes, and asked for often (bench: diff). */
  private readonly requests: Form[] = [];
  /** Those of answers that hold definitions. */
  private readonly answers = new Map<number, Form>();
  private readonly introduced = new Map<number, readonly IntroducedId[]>();
  private readonly defined = new Map<number, readonly DefinedId[]>();
  /** What was run in each container. */
  private readonly uses = new Map<string, string[]>();
  private readonly remembered = new Memo<string, Form>(REMEMBERED);
  /** A graph comes with each step that is built on it, and again in the answer. */
  private readonly canonicalOptions = { maxPlainBytes: MAX_PLAIN_BYTES, ops: new KnownOps() };

  constructor(
    side: SideName,
    private readonly rules: Rules,
  ) {
    this.ids = new Ids(side);
  }

  /** Reads a call's request and the names that it and its answer introduce; calls come in the order of their starts. */
  read(call: RecordedCall): void {
    this.requests[call.id] = this.formOfRequest(call);
    const payload = introducesIds(call.path) || holdsDefinitions(call.path) ? call.answer : undefined;
    const answer = payload && new ReadAnswer(methodOf(call.path)?.responseType, payload);
    const status = detailsIn(call);
    const introduced = [...(answer !== undefined && introducesIds(call.path) ? answer.introduced : []), ...(status === undefined ? [] : introducedIds(STATUS, status))];
    if (introduced.length > 0) this.introduced.set(call.id, introduced);
    for (const { kind, id } of introduced) this.ids.add(kind, id, call.id);
    if (answer === undefined || !holdsDefinitions(call.path)) return;
    const canonical = answer.canonical(this.ids.tokens, this.rules, this.canonicalOptions);
    this.ids.addOps(canonical);
    this.answers.set(call.id, this.formOf(canonical));
  }

  private formOfRequest(call: RecordedCall): Form {
    if (call.path === EXEC_PROCESS) return this.formOfExec(call);
    const request = requestIn(call);
    if (request === undefined) return NOTHING;
    if (isWrittenOneWay(call.path)) {
      const { text, numbers } = this.ids.takenOut(latin1(request.payload));
      return new Draft(text, numbers);
    }
    const raw = `${request.type ?? call.path} ${digestOf(request.payload)}`;
    const known = this.remembered.get(raw);
    if (known !== undefined) return known;
    const canonical = this.canonical(request, this.ids.tokens);
    const { defines } = canonical;
    this.ids.addOps(canonical);
    for (const { kind, id } of defines) this.ids.add(kind, id, call.id);
    if (defines.length > 0) this.defined.set(call.id, defines);
    const form = this.formOf(canonical);
    // A request that introduces an id comes once.
    if (defines.length === 0) this.remembered.set(raw, form);
    return form;
  }

  /** Processes are compared one by one; here it is about which stream is which. */
  private formOfExec(call: RecordedCall): Form {
    const processes = readExec(call, this.rules);
    for (const { id, container, given } of processes) {
      this.ids.add('process', id, call.id);
      const uses = this.uses.get(container);
      if (uses === undefined) this.uses.set(container, [given]);
      else uses.push(given);
    }
    return new Draft(processes.map(({ start }) => start).sort().join('\n'), []);
  }

  private formOf({ fields, annotations }: Canonical): Form {
    const { text, numbers } = this.ids.tokensTakenOut(withoutMountPaths(textOf([...fields, ...annotations])));
    return this.ids.mentionsOps(text) ? new Draft(text, numbers, this.ids) : new Draft(digestOf(text), numbers);
  }

  /** The ids that the client made up for its request. */
  definedBy({ id }: RecordedCall): readonly DefinedId[] {
    return this.defined.get(id) ?? NONE_DEFINED;
  }

  /** What was done with what the client made up a name for: tells containers that were asked for alike from each other. */
  useOf(call: RecordedCall): string {
    const defined = this.definedBy(call);
    if (defined.length === 0) return '';
    return defined
      .flatMap(({ id }) => this.uses.get(id) ?? [])
      .sort()
      .join('\n');
  }

  /** The ids that the answer gives out. */
  introducedBy({ id }: RecordedCall): readonly IntroducedId[] {
    return this.introduced.get(id) ?? NONE;
  }

  /** Of a request that was read; the recordings are joined. */
  request({ id }: RecordedCall): Form {
    return this.requests[id] ?? NOTHING;
  }

  answer(call: RecordedCall): Form {
    const known = this.answers.get(call.id);
    if (known !== undefined) return known;
    const answer = answerIn(call);
    return answer === undefined ? NOTHING : this.formOf(this.canonical(answer, this.ids.tokens));
  }

  private canonical({ type, payload }: Typed, ids: IdMap): Canonical {
    return canonicalMessage(type, payload, ids, this.rules, this.canonicalOptions);
  }

  /** Any message of this recording, with ids by their names. */
  named(type: string, payload: Uint8Array): NamedFields {
    return this.namedFields({ type, payload });
  }

  requestFields(call: RecordedCall): NamedFields {
    return this.namedFields(requestIn(call));
  }

  answerFields(call: RecordedCall): NamedFields {
    return this.namedFields(answerIn(call));
  }

  /** How the call ended, as a google.rpc.Status; nothing when it did not end with a status. */
  statusFields(call: RecordedCall): NamedFields {
    const payload = statusIn(call);
    const { fields, annotations } = this.namedFields(payload && { type: STATUS, payload }, this.ids.hidden);
    const hidden = ([path, value]: CanonicalField): CanonicalField => [withoutAnyId(path), withoutAnyId(value)];
    return { fields: fields.map(hidden), annotations: annotations.map(hidden) };
  }

  private namedFields(message: Typed | undefined, ids = this.ids.names): NamedFields {
    if (message === undefined) return { fields: [], annotations: [] };
    const { fields, annotations } = this.canonical(message, ids);
    const named = ([path, value]: CanonicalField): CanonicalField => {
      const known = NAMES_OP.test(path) ? this.ids.withoutUnknownOps(value) : value;
      return [this.ids.withoutOtherOps(path), withoutMountPaths(this.ids.withoutOtherOps(known))];
    };
    return detailsByType({ fields: fields.map(named), annotations: annotations.map(named) });
  }
}

/** errdefs.Vertex, and what else in a detail names an op. */
const NAMES_OP = /\bdetails\[.*\["digest"\]$/i;

/** Both recordings. */
export interface Sides {
  readonly before: Forms;
  readonly after: Forms;
}

export type NamedFields = Pick<Canonical, 'fields' | 'annotations'>;

const textOf = (fields: readonly CanonicalField[]): string => fields.map(([path, value]) => `${path} = ${value}`).join('\n');
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

function requestIn(call: RecordedCall): Typed | undefined {
  const payload = call.request;
  if (payload === undefined) return undefined;
  const type = methodOf(methodKey(call))?.requestType;
  return { type, payload: call.path === RESOLVE_IMAGE_CONFIG ? asSourceMetaRequest(payload) : payload };
}

function answerIn(call: RecordedCall): Typed | undefined {
  const payload = call.answer;
  if (payload === undefined) return undefined;
  const type = methodOf(methodKey(call))?.responseType;
  const request = call.path === RESOLVE_IMAGE_CONFIG ? call.request : undefined;
  return { type, payload: request === undefined ? payload : asSourceMetaResponse(payload, request) };
}

/** Answers of other methods hold no ids that mean something later. */
const INTRODUCING: ReadonlySet<string> = new Set([BRIDGE_SOLVE, SOLVE, PING, `${CONTROL}ListWorkers`]);
const introducesIds = (path: string): boolean => INTRODUCING.has(path);
const HOLDING_DEFINITIONS: ReadonlySet<string> = new Set([BRIDGE_SOLVE, `${BRIDGE}Inputs`]);
const holdsDefinitions = (path: string): boolean => HOLDING_DEFINITIONS.has(path);

function detailsIn(call: RecordedCall): Uint8Array | undefined {
  const { outcome } = call;
  if (outcome.kind === 'status' && outcome.code === 0) return undefined;
  const details = headerText(call.trailer, 'grpc-status-details-bin');
  return details === undefined ? undefined : Buffer.from(details, 'base64');
}

/** The status in the trailers: its details have all of it, where there are some (grpc/grpc doc/statuscodes.md). */
function statusIn(call: RecordedCall): Uint8Array | undefined {
  if (call.trailer.length === 0) return undefined;
  const details = detailsIn(call);
  if (details !== undefined) return details;
  const { code, message } = decodeStatus(call.trailer, { maxText: MAX_PLAIN_BYTES });
  if (code === 0) return undefined;
  return concat([varintField(1, Math.max(0, code)), bytesField(2, Buffer.from(message))]);
}
