/**
 * Messages of one recording as they are compared: in canonical form, ids by their roles, and what has two spellings in the
 * newer one. A form is a key for finding a message's like, or fields for telling how two differ.
 */
import { createHash } from 'node:crypto';
import {
  asSourceMetaRequest,
  asSourceMetaResponse,
  BRIDGE,
  BRIDGE_SOLVE,
  bytesField,
  canonicalMessage,
  concat,
  decodeStatus,
  EXEC_PROCESS,
  headerText,
  introducedIds,
  isWrittenOneWay,
  KnownOps,
  methodOf,
  opDigests,
  RESOLVE_IMAGE_CONFIG,
  RESOLVE_SOURCE_META,
  varintField,
  type Canonical,
  type CanonicalField,
  type DefinedId,
  type IdMap,
  type IntroducedId,
  type Rules,
} from '../bridge/index.js';
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

/** A form whose key is made when the ops of both recordings are known. */
interface Draft {
  readonly text: string;
  readonly mentionsOps: boolean;
  readonly ids: readonly number[];
}

const NONE: readonly IntroducedId[] = [];
const NONE_DEFINED: readonly DefinedId[] = [];
const NOTHING: Draft = { text: '', mentionsOps: false, ids: [] };
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64');

/** The method under which a call is compared. */
export function methodKey({ path }: Pick<RecordedCall, 'path'>): string {
  return path === RESOLVE_IMAGE_CONFIG ? RESOLVE_SOURCE_META : path;
}

export class Forms {
  readonly ids: Ids;
  private readonly drafts = new Map<number, Draft>();
  private readonly defined = new Map<number, readonly DefinedId[]>();
  /** What was run in each container. */
  private readonly uses = new Map<string, string[]>();
  private readonly remembered = new Map<string, Draft>();
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
    this.drafts.set(call.id, this.draftOf(call));
    for (const { kind, id } of this.introducedBy(call)) this.ids.add(kind, id, call.id);
    const answer = holdsDefinitions(call.path) ? answerIn(call) : undefined;
    if (answer !== undefined) this.ids.addOps(opDigests(answer.type, answer.payload, this.rules, this.canonicalOptions));
  }

  private draftOf(call: RecordedCall): Draft {
    if (call.path === EXEC_PROCESS) return this.draftOfExec(call);
    const request = requestIn(call);
    if (request === undefined) return NOTHING;
    if (isWrittenOneWay(call.path)) {
      const { text, numbers } = this.ids.takenOut(latin1(request.payload));
      return { text, mentionsOps: false, ids: numbers };
    }
    const raw = `${request.type ?? call.path} ${digestOf(latin1(request.payload))}`;
    const known = this.remembered.get(raw);
    if (known !== undefined) return known;
    const { fields, annotations, digests, defines } = this.canonical(request, this.ids.tokens);
    this.ids.addOps(digests);
    for (const { kind, id } of defines) this.ids.add(kind, id, call.id);
    if (defines.length > 0) this.defined.set(call.id, defines);
    const draft = this.taken(textOf([...fields, ...annotations]));
    // A request that introduces an id comes once.
    if (defines.length === 0) remember(this.remembered, raw, draft);
    return draft;
  }

  /** Processes are compared one by one; here it is about which stream is which. */
  private draftOfExec(call: RecordedCall): Draft {
    const processes = readExec(call, this.rules);
    for (const { id, container, given } of processes) {
      this.ids.add('process', id, call.id);
      const uses = this.uses.get(container);
      if (uses === undefined) this.uses.set(container, [given]);
      else uses.push(given);
    }
    return { text: processes.map(({ start }) => start).sort().join('\n'), mentionsOps: false, ids: [] };
  }

  private taken(canonicalText: string): Draft {
    const { text, numbers } = this.ids.tokensTakenOut(withoutMountPaths(canonicalText));
    const mentionsOps = this.ids.mentionsOps(text);
    return { text: mentionsOps ? text : digestOf(text), mentionsOps, ids: numbers };
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
  introducedBy(call: RecordedCall): readonly IntroducedId[] {
    const answer = introducesIds(call.path) ? call.answer : undefined;
    const status = detailsIn(call);
    if (answer === undefined && status === undefined) return NONE;
    const type = methodOf(call.path)?.responseType;
    return [...(answer === undefined || type === undefined ? [] : introducedIds(type, answer)), ...(status === undefined ? [] : introducedIds(STATUS, status))];
  }

  /** Of a request that was read; the recordings are joined. */
  request({ id }: RecordedCall): Form {
    const draft = this.drafts.get(id) ?? NOTHING;
    return { key: this.keyOf(draft), ids: draft.ids };
  }

  answer(call: RecordedCall): Form {
    const answer = answerIn(call);
    if (answer === undefined) return { key: '', ids: [] };
    return this.formOf(this.canonical(answer, this.ids.tokens));
  }

  private formOf({ fields, annotations }: Canonical): Form {
    const draft = this.taken(textOf([...fields, ...annotations]));
    return { key: this.keyOf(draft), ids: draft.ids };
  }

  private keyOf({ text, mentionsOps }: Draft): string {
    return mentionsOps ? digestOf(this.ids.withoutOtherOps(text)) : text;
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

function remember(known: Map<string, Draft>, key: string, draft: Draft): void {
  if (known.size >= REMEMBERED) known.clear();
  known.set(key, draft);
}

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
const introducesIds = (path: string): boolean => /\/(?:Solve|Ping|ListWorkers)$/.test(path);
const holdsDefinitions = (path: string): boolean => path === BRIDGE_SOLVE || path === INPUTS;
const INPUTS = `${BRIDGE}Inputs`;

function detailsIn({ trailer }: RecordedCall): Uint8Array | undefined {
  const details = headerText(trailer, 'grpc-status-details-bin');
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
