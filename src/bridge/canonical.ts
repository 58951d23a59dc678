/**
 * The normaliser: a message brought to a form in which two that mean the same are equal. Volatile values
 * (volatile.ts) become placeholders, ids are renamed by what is bound, maps lose their order, and definitions are
 * compared as graphs, with digests that don't depend on volatile values or on how an op was encoded. What only describes
 * (annotations.ts) is told apart from what decides.
 */
import { Canonical, lines, type CanonicalField, type CanonicalOp, type CanonicalParts, type DefinedId, type IgnoredField, type VolatileValue } from './canonical-form.js';
import type { FieldRules } from './field-rules.js';
import { postOrder, readGraph, sha256, type Graph, type GraphOp } from './graph.js';
import { LONE_ID_SHAPE } from './identity.js';
import { parseJson } from './json.js';
import type { KnownOps } from './known-ops.js';
import { decodeIfKnown, isMessage, repeatedMessages, stringField, textOf, tryDecode, type Entry, type Message, type Value } from './message.js';
import { messageType, methodOf } from './schema.js';
import { respelledDigests } from './respelling.js';
import { BUILT_IN_RULES, withoutMatches, withoutVolatile, type Rules } from './rules.js';
import { DEFINING_FIELDS, placeholder, type VolatileRule } from './volatile.js';
import { bytesField, concat, WireFormatError, type RawField } from './wire-format.js';

/** What is bound so far: an id or op digest of this world → the name under which it is compared. A Map will do. */
export interface IdMap {
  get(id: string): string | undefined;
}

/** Longer byte values are compared by digest, unless the caller wants to see them. */
const MAX_PLAIN_BYTES = 4096;
/** In longer ones ids are not looked for: no request that names ids in bytes comes near. */
const MAX_RENAMED_BYTES = 1024 * 1024;
/** Definitions within definitions (build ops, source infos): BuildKit has two levels. */
const MAX_DEFINITION_DEPTH = 8;
/** Error details are a few levels deep. */
const MAX_JSON_DEPTH = 64;
/** identity.NewID() and digests, wherever they stand in a text. */
const ID_IN_TEXT = new RegExp(`sha256:[0-9a-f]{64}|${LONE_ID_SHAPE}`, 'g');
const SHORTEST_ID = 25;

const NOTHING: IdMap = { get: () => undefined };
const NONE_RESPELLED: ReadonlyMap<string, string> = new Map();

/** All of a value, but for what stands around a text. */
const ALL = /^(?!\{\}$)(?:bytes )?"?(.+?)"?$/su;

type Path = string;

interface CanonicalGraph {
  readonly graph: Graph;
  readonly order: readonly GraphOp[];
  readonly ops: ReadonlyMap<string, CanonicalOp>;
}

const member = (path: Path, name: string): Path => (path === '' ? name : `${path}.${name}`);
const element = (path: Path, index: number): Path => `${path}[${index}]`;
const keyed = (path: Path, key: string): Path => `${path}[${JSON.stringify(key)}]`;

const isJsonDetail = (typeUrl: string): boolean => typeUrl.endsWith('+json');
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

class Normaliser implements CanonicalParts {
  readonly fields: CanonicalField[] = [];
  readonly annotations: CanonicalField[] = [];
  readonly digests = new Map<string, string>();
  /** Most messages have none. */
  private others: Map<string, string> | undefined = undefined;
  readonly defines: DefinedId[] = [];
  readonly volatile: VolatileValue[] = [];
  readonly ignored: IgnoredField[] = [];
  /** Ids that this message defines, and digests of its own ops. */
  private readonly local = new Map<string, string>();
  private readonly graphs = new Map<Message, CanonicalGraph>();
  /** What is emitted decides nothing. */
  private annotating = false;

  constructor(
    private readonly ids: IdMap,
    private readonly rules: Rules,
    private readonly definitionDepth: number,
    /** Paths count from an op. */
    private readonly isInOp: boolean,
    private readonly maxPlainBytes: number,
    private readonly known: KnownOps | undefined,
  ) {}

  get respelled(): ReadonlyMap<string, string> {
    return this.others ?? NONE_RESPELLED;
  }

  run(message: Message): void {
    this.findDefined(message);
    this.findGraphs(message);
    if (message.type.name === 'pb.Definition') this.emitMessage('', message);
    else this.emitFields('', message);
  }

  /** Without a schema there are only bytes; bound ids in them are still renamed. */
  runOnBytes(label: string, bytes: Uint8Array): void {
    this.push(label, this.bytesText(bytes));
  }

  private push(path: Path, value: string): void {
    const rule = this.rules.atPath(path, this.isInOp);
    if (rule?.effect === 'ignore') {
      this.ignored.push({ at: path, rule: rule.name });
      return;
    }
    const plain = rule === undefined ? value : this.withoutPattern(path, value, rule);
    (this.annotating ? this.annotations : this.fields).push([path, plain]);
  }

  private withoutPattern(path: Path, value: string, { name, pattern = ALL }: { readonly name: string; readonly pattern: RegExp | undefined }): string {
    // What a rule of the tables has replaced already is reported by that.
    return withoutMatches(value, pattern, 'any', (found) => {
      if (found !== placeholder('any')) this.volatile.push({ at: path, kind: 'any', rule: name, value: found });
    });
  }

  private get emitted(): number {
    return this.fields.length + this.annotations.length;
  }

  private annotate(emit: () => void): void {
    const outer = this.annotating;
    this.annotating = true;
    emit();
    this.annotating = outer;
  }

  private findDefined(message: Message): void {
    for (const { kind, message: type, field, when } of DEFINING_FIELDS) {
      if (message.type.name !== type) continue;
      if (when !== undefined && !message.entries.some((entry) => entry.field.name === when)) continue;
      const id = stringField(message, field);
      if (id === '') continue;
      this.defines.push({ kind, id });
      this.local.set(id, placeholder(kind));
    }
  }

  /** Digests may be mentioned before the definition that they are of, so definitions come first. */
  private findGraphs(message: Message): void {
    if (message.type.name === 'pb.Definition') {
      this.addGraph(message);
    }
    for (const entry of message.entries) for (const value of valuesIn(entry)) if (isMessage(value)) this.findGraphs(value);
  }

  private addGraph(definition: Message): CanonicalGraph {
    const known = this.graphs.get(definition);
    if (known) return known;
    const canonical = this.canonicalGraph(readGraph(definition, this.known?.op));
    this.graphs.set(definition, canonical);
    for (const [digest, { digest: name }] of canonical.ops) {
      this.digests.set(digest, name);
      this.local.set(digest, name);
    }
    for (const [digest, other] of respelledDigests(canonical.order)) (this.others ??= new Map()).set(other, this.digests.get(digest) ?? digest);
    return canonical;
  }

  private canonicalGraph(graph: Graph): CanonicalGraph {
    const order = postOrder(graph);
    const ops = new Map<string, CanonicalOp>();
    for (const op of order) ops.set(op.digest, this.canonicalOp(op, ops));
    return { graph, order, ops };
  }

  /** Depends on the op and on those below it, never on what is bound: an op has one canonical digest wherever it stands. */
  private canonicalOp(op: GraphOp, below: ReadonlyMap<string, CanonicalOp>): CanonicalOp {
    const edges = op.inputs.map((input) => [below.get(input.digest)?.digest ?? input.digest, input.index] as const);
    if (this.known === undefined) return this.madeCanonical(op, edges);
    return this.known.form(op, edges.join(), this.definitionDepth, () => this.madeCanonical(op, edges));
  }

  private madeCanonical({ op, bytes, digest }: GraphOp, edges: readonly (readonly [digest: string, index: number])[]): CanonicalOp {
    const inner = new Normaliser(NOTHING, this.rules, this.definitionDepth + 1, true, this.maxPlainBytes, this.known);
    if (op instanceof WireFormatError || this.definitionDepth >= MAX_DEFINITION_DEPTH) {
      inner.runOnBytes('(bytes)', bytes);
      return { digest, fields: inner.fields, annotations: [], volatile: [], ignored: inner.ignored };
    }
    inner.findGraphs(op);
    for (const entry of op.entries) if (entry.field.name !== 'inputs') inner.emitEntry('', op, entry);
    repeatedMessages(op, 'inputs').forEach((input, index) => inner.emitUnknown(element('inputs', index), input.unknown));
    inner.emitUnknown('', op.unknown);
    return { digest: sha256(JSON.stringify([edges, inner.fields])), fields: inner.fields, annotations: inner.annotations, volatile: inner.volatile, ignored: inner.ignored };
  }

  private rename(text: string): string {
    if (text.length < SHORTEST_ID) return this.local.get(text) ?? this.ids.get(text) ?? text;
    // A bound digest can itself be of an op in this message: details that a replay rewrote hold both worlds' digests.
    const bound = (id: string): string | undefined => {
      const known = this.local.get(id);
      if (known !== undefined) return known;
      const name = this.ids.get(id);
      return name === undefined ? undefined : (this.local.get(name) ?? name);
    };
    return bound(text) ?? text.replace(ID_IN_TEXT, (id) => bound(id) ?? id);
  }

  private stringText(path: Path, text: string, rules: readonly VolatileRule[], prefix = ''): string {
    const plain = prefix + withoutVolatile(text.slice(prefix.length), rules, ({ name, kind }, value) => this.volatile.push({ at: path, kind, rule: name, value }));
    return JSON.stringify(this.rename(plain));
  }

  private bytesText(bytes: Uint8Array): string {
    if (bytes.length > MAX_RENAMED_BYTES) return `${bytes.length} bytes ${sha256(bytes)}`;
    // Latin-1 keeps every byte apart, and ids stand in it as they are.
    const text = textOf(bytes);
    const plain = text ?? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const renamed = this.rename(plain);
    if (text !== undefined && bytes.length <= this.maxPlainBytes) return `bytes ${JSON.stringify(renamed)}`;
    const changed = renamed === plain ? bytes : Buffer.from(renamed, text === undefined ? 'latin1' : 'utf8');
    return bytes.length <= this.maxPlainBytes ? `bytes base64 ${Buffer.from(changed).toString('base64')}` : `${changed.length} bytes ${sha256(changed)}`;
  }

  /** Emits a message at a path; one without any field still shows that it is there. */
  private emitMessage(path: Path, message: Message): void {
    const before = this.emitted;
    if (message.type.name === 'pb.Definition') this.emitGraph(path, this.addGraph(message), message);
    else if (message.type.name === 'google.protobuf.Any') this.emitAny(path, message);
    else this.emitFields(path, message);
    if (this.emitted === before) this.push(path, '{}');
  }

  private emitFields(path: Path, message: Message): void {
    for (const entry of message.entries) this.emitEntry(path, message, entry);
    this.emitUnknown(path, message.unknown);
  }

  private emitEntry(path: Path, message: Message, entry: Entry): void {
    const { field } = entry;
    const at = member(path, field.name);
    const rules = this.rules.of(message.type.name, field);
    if (!this.annotating && rules.isAnnotation) {
      this.annotate(() => this.emitEntry(path, message, entry));
      return;
    }
    switch (entry.label) {
      case 'one':
        if (!this.isIgnored(rules, at, undefined)) this.emitValue(at, rules, undefined, entry.value);
        return;
      case 'repeated': {
        let index = 0;
        for (const value of entry.values) {
          const key = typeof value === 'string' ? rules.itemName(value) : undefined;
          if (this.isVolatileDetail(value) || this.isIgnored(rules, at, key)) continue;
          this.emitValue(element(at, index), rules, key, value, key === undefined ? '' : `${key}=`);
          index += 1;
        }
        return;
      }
      case 'map': {
        const entries: { readonly key: string; readonly name: string; readonly value: Value }[] = [];
        for (const { key: scalar, value } of entry.entries) {
          const key = String(scalar);
          if (!this.isIgnored(rules, at, key)) entries.push({ key, name: this.rename(key), value });
        }
        entries.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
        for (const { key, name, value } of entries) this.emitValue(keyed(at, name), rules, key, value);
        return;
      }
    }
  }

  private isIgnored(rules: FieldRules, at: Path, key: string | undefined): boolean {
    const rule = rules.ignoringUnder(key);
    if (rule !== undefined) this.ignored.push({ at: key === undefined ? at : keyed(at, key), rule });
    return rule !== undefined;
  }

  private isVolatileDetail(value: Value): boolean {
    return isMessage(value) && value.type.name === 'google.protobuf.Any' && this.rules.isVolatileDetail(stringField(value, 'type_url'));
  }

  /** @param prefix of a string: stands as it is */
  private emitValue(path: Path, field: FieldRules, key: string | undefined, value: Value, prefix = ''): void {
    const rules = field.volatileUnder(key);
    if (typeof value === 'string') this.push(path, this.stringText(path, value, rules, prefix));
    else if (value instanceof Uint8Array) this.pushPlain(path, this.bytesText(value), rules);
    else if (typeof value !== 'object') this.pushPlain(path, String(value), rules);
    else if (value.kind === 'enum') this.pushPlain(path, value.name ?? String(value.number), rules);
    else this.emitMessage(path, value);
  }

  /** Of what is no text, all is volatile or nothing. */
  private pushPlain(path: Path, value: string, rules: readonly VolatileRule[]): void {
    const rule = rules.find(({ pattern }) => pattern === undefined);
    if (rule !== undefined) this.volatile.push({ at: path, kind: rule.kind, rule: rule.name, value });
    this.push(path, rule === undefined ? value : placeholder(rule.kind));
  }

  private emitUnknown(path: Path, unknown: readonly RawField[]): void {
    const counts = new Map<number, number>();
    for (const { number, wire, value } of unknown) {
      const index = counts.get(number) ?? 0;
      counts.set(number, index + 1);
      const at = element(member(path, `#${number}`), index);
      this.push(at, `${wire} ${value instanceof Uint8Array ? this.bytesText(value) : value.toString()}`);
    }
  }

  private emitGraph(path: Path, { graph, order, ops }: CanonicalGraph, definition: Message): void {
    // Two ops that differ only in volatile values are one.
    const position = new Map<string, number>();
    const nameOf = (digest: string): string | undefined => ops.get(digest)?.digest;
    const placeOf = (digest: string): string | undefined => {
      const name = nameOf(digest);
      const index = name === undefined ? undefined : position.get(name);
      return index === undefined ? undefined : `op[${index}]`;
    };
    for (const op of order) {
      const canonical = ops.get(op.digest);
      if (!canonical || position.has(canonical.digest)) continue;
      const at = element(member(path, 'op'), position.size);
      position.set(canonical.digest, position.size);
      op.inputs.forEach((input, index) => {
        this.push(element(`${at}.inputs`, index), `${placeOf(input.digest) ?? JSON.stringify(this.rename(input.digest))}:${input.index}`);
      });
      for (const [name, value] of canonical.fields) this.push(member(at, name), value);
      this.annotate(() => {
        for (const [name, value] of canonical.annotations) this.push(member(at, name), value);
      });
      for (const found of canonical.volatile) this.volatile.push({ ...found, at: member(at, found.at) });
      for (const found of canonical.ignored) this.ignored.push({ ...found, at: member(at, found.at) });
      if (canonical.fields.length === 0 && op.inputs.length === 0) this.push(at, '{}');
    }
    const head = graph.ops.at(-1);
    if (head) this.push(member(path, 'head'), placeOf(head.digest) ?? '');
    // Metadata that say nothing say nothing by being there.
    const saying = [...graph.metadata].filter(([, { entries, unknown }]) => entries.length > 0 || unknown.length > 0);
    this.emitByDigest(member(path, 'metadata'), saying, placeOf);
    if (graph.source) this.emitSource(member(path, 'Source'), graph.source, placeOf);
    this.emitUnknown(path, definition.unknown);
  }

  private emitByDigest(path: Path, entries: Iterable<readonly [string, Message]>, placeOf: (digest: string) => string | undefined): void {
    const placed = Array.from(entries, ([digest, message]) => ({ place: placeOf(digest) ?? JSON.stringify(this.rename(digest)), message }));
    placed.sort((one, other) => (one.place < other.place ? -1 : one.place > other.place ? 1 : 0));
    for (const { place, message } of placed) this.emitMessage(`${path}[${place}]`, message);
  }

  private emitSource(path: Path, source: Message, placeOf: (digest: string) => string | undefined): void {
    if (!this.annotating && this.rules.isAnnotation('pb.Definition', 'Source')) {
      this.annotate(() => this.emitSource(path, source, placeOf));
      return;
    }
    for (const entry of source.entries) {
      if (entry.label !== 'map') {
        this.emitEntry(path, source, entry);
        continue;
      }
      const locations = new Map<string, Message>();
      for (const { key, value } of entry.entries) if (typeof key === 'string' && isMessage(value)) locations.set(key, value);
      this.emitByDigest(member(path, entry.field.name), locations, placeOf);
    }
    this.emitUnknown(path, source.unknown);
  }

  /** BuildKit's error details are JSON inside an Any; others are messages by their type's name, or bytes. */
  private emitAny(path: Path, any: Message): void {
    const typeUrl = stringField(any, 'type_url');
    if (!this.annotating && this.rules.isAnnotatingDetail(typeUrl)) {
      this.annotate(() => this.emitAny(path, any));
      return;
    }
    this.push(member(path, 'type_url'), JSON.stringify(typeUrl));
    const value = any.entries.find((entry) => entry.field.name === 'value');
    const bytes = value?.label === 'one' && value.value instanceof Uint8Array ? value.value : new Uint8Array(0);
    const at = member(path, 'value');
    const parsed = isJsonDetail(typeUrl) ? parseJson(bytes) : undefined;
    const typeName = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
    if (parsed) this.emitJson(at, parsed.json, 'detail', 0);
    else if (!isJsonDetail(typeUrl) && messageType(typeName)) this.emitDecoded(at, typeName, bytes);
    else this.push(at, this.bytesText(bytes));
    this.emitUnknown(path, any.unknown);
  }

  private emitDecoded(path: Path, typeName: string, bytes: Uint8Array): void {
    const message = tryDecode(typeName, bytes);
    if (message instanceof WireFormatError) {
      this.push(path, this.bytesText(bytes));
      return;
    }
    this.findGraphs(message);
    this.emitMessage(path, message);
  }

  private emitJson(path: Path, value: unknown, key: string, depth: number): void {
    const before = this.emitted;
    if (typeof value === 'string') {
      // A detail's op has the source attributes and identifier that pb.SourceOp has.
      this.push(path, this.stringText(path, value, this.rules.inJson('pb.SourceOp', 'attrs', key)));
    } else if (depth > MAX_JSON_DEPTH) {
      this.push(path, JSON.stringify(value));
    } else if (Array.isArray(value)) {
      value.forEach((item: unknown, index) => this.emitJson(element(path, index), item, key, depth + 1));
      if (this.emitted === before) this.push(path, '[]');
    } else if (isRecord(value)) {
      const graph = jsonDefinition(value);
      if (graph) this.emitDecoded(path, 'pb.Definition', graph);
      const entries = Object.entries(value)
        .filter(([name]) => !graph || name !== 'def')
        .map(([name, item]) => ({ name, renamed: this.rename(name), item }))
        .sort((one, other) => (one.renamed < other.renamed ? -1 : one.renamed > other.renamed ? 1 : 0));
      for (const { name, renamed, item } of entries) this.emitJson(keyed(path, renamed), item, name, depth + 1);
      if (this.emitted === before) this.push(path, '{}');
    } else {
      this.push(path, JSON.stringify(value));
    }
  }
}

/** A definition written as JSON has its marshalled ops in base64: back to a pb.Definition of these ops. */
function jsonDefinition(value: Readonly<Record<string, unknown>>): Uint8Array | undefined {
  const def = value['def'];
  if (!Array.isArray(def) || def.length === 0 || !def.every((op): op is string => typeof op === 'string')) return undefined;
  return concat(def.map((op) => bytesField(1, Buffer.from(op, 'base64'))));
}

const valuesIn = (entry: Entry): readonly Value[] => {
  switch (entry.label) {
    case 'one':
      return [entry.value];
    case 'repeated':
      return entry.values;
    case 'map':
      return entry.entries.map(({ value }) => value);
  }
};

export interface CanonicalOptions {
  /** Byte values up to so many bytes stand there as they are, longer ones as a digest. 4096 unless told, 1 MiB at most. */
  readonly maxPlainBytes?: number;
  /** What is known of ops already, and comes to be: always given along with the same rules and options. */
  readonly ops?: KnownOps;
}

/**
 * Brings a message to its canonical form. Never throws: what can't be decoded is compared as bytes.
 *
 * @param typeName full name of the message's type; undefined when it isn't known
 */
export function canonicalMessage(typeName: string | undefined, payload: Uint8Array, ids: IdMap, rules = BUILT_IN_RULES, options: CanonicalOptions = {}): Canonical {
  return canonicalDecoded(decodeIfKnown(typeName, payload), payload, ids, rules, options);
}

/**
 * The same of a message that was decoded before.
 *
 * @param message undefined when its type isn't known
 */
export function canonicalDecoded(message: Message | WireFormatError | undefined, payload: Uint8Array, ids: IdMap, rules: Rules, { maxPlainBytes = MAX_PLAIN_BYTES, ops }: CanonicalOptions): Canonical {
  const normaliser = new Normaliser(ids, rules, 0, false, maxPlainBytes, ops);
  if (message === undefined) normaliser.runOnBytes('(bytes)', payload);
  else if (message instanceof WireFormatError) normaliser.runOnBytes('(undecodable)', payload);
  else normaliser.run(message);
  return new Canonical(normaliser);
}

/**
 * Brings a request to its canonical form: two requests of a method are the same if and only if their texts are equal.
 *
 * @param path the method, as in the :path header; messages of unknown methods are compared as bytes
 * @param ids what is bound: ids and op digests of this request's world → those under which they are to be compared
 */
export function canonicalRequest(path: string, payload: Uint8Array, ids: IdMap, rules = BUILT_IN_RULES, options: CanonicalOptions = {}): Canonical {
  return canonicalMessage(methodOf(path)?.requestType, payload, ids, rules, options);
}

/** A message as a text with all that it holds, annotations included: what a client is given, it is given whole. Nothing is bound. */
export function wholeText(typeName: string | undefined, payload: Uint8Array): string {
  const { fields, annotations } = canonicalMessage(typeName, payload, NOTHING);
  return lines([...fields, ...annotations]);
}

/** An answer in a form in which two that mean the same are equal. */
export function canonicalAnswer(path: string, payload: Uint8Array): string {
  return wholeText(methodOf(path)?.responseType, payload);
}
