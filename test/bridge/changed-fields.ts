/** Builders: for every field of a request, found from proto/, the request with the field and the same with it changed. */
import { ANNOTATION_RULES } from '../../src/bridge/index.js';
import { messageType, type Field, type MessageType } from '../../src/bridge/schema.js';
import { DEFINING_FIELDS, VOLATILE_RULES } from '../../src/bridge/volatile.js';
import { digestOf, encode, type Fields } from './build.js';

/** One step down from a request: a field, and in which of its values. */
export interface Step {
  readonly message: MessageType;
  readonly field: Field;
}

/** What is done to a field. */
export type Change = 'another value' | 'left out' | 'one more' | 'unknown field';

export interface Case {
  readonly path: string;
  readonly request: string;
  readonly steps: readonly Step[];
  readonly change: Change;
}

/** Definitions stand in ops and in sources, whose definitions have ops and sources: once more is enough to see that they are entered. */
const MAX_OF_A_TYPE: Readonly<Record<string, number>> = { 'pb.Definition': 2, 'pb.Op': 2 };

/** The type below a field; the ops of a definition stand in it as bytes. */
function typeBelow({ message, field }: Step): MessageType | undefined {
  if (message.name === 'pb.Definition' && field.name === 'def') return messageType('pb.Op');
  return field.type.kind === 'message' ? messageType(field.type.name) : undefined;
}

export function casesOf(request: string): readonly Case[] {
  const cases: Case[] = [];
  const visit = (message: MessageType, above: readonly Step[]): void => {
    const stand = above.filter((step) => typeBelow(step) === message).length + (above.length === 0 ? 1 : 0);
    if (stand > (MAX_OF_A_TYPE[message.name] ?? 1)) return;
    for (const field of message.fields.values()) {
      const steps = [...above, { message, field }];
      const path = steps.map(({ field: { name } }) => name).join('.');
      const add = (change: Change): void => void cases.push({ path, request, steps, change });
      const below = typeBelow({ message, field });
      if (below === undefined) add('another value');
      add('left out');
      if (field.label !== 'one') add('one more');
      if (below !== undefined) {
        add('unknown field');
        visit(below, steps);
      }
    }
  };
  visit(known(request), []);
  return cases;
}

export function known(name: string): MessageType {
  const type = messageType(name);
  if (type === undefined) throw new Error(`proto/ has no ${name}`);
  return type;
}

/** The number of a field of pb.Definition. */
function numberOf(name: string): number {
  const field = [...known('pb.Definition').fields.values()].find((it) => it.name === name);
  if (field === undefined) throw new Error(`pb.Definition has no ${name}`);
  return field.number;
}

/** Field 1000 of any message: no proto has it. */
const UNKNOWN_FIELD = Buffer.from([0xc2, 0x3e, 1, 0x41]);

/** Builds a request in which the fields of a case stand, with or without its change. */
export class Builder {
  constructor(
    private readonly steps: readonly Step[],
    private readonly change: Change | undefined,
  ) {}

  /** The bytes of the message at a depth. */
  message(type: MessageType, depth: number): Uint8Array {
    const isHere = this.change === 'unknown field' && depth === this.steps.length;
    const bytes = type.name === 'pb.Definition' ? this.definition(depth) : this.plain(type, depth);
    return isHere ? Buffer.concat([bytes, UNKNOWN_FIELD]) : bytes;
  }

  private plain(type: MessageType, depth: number): Uint8Array {
    const step = this.steps[depth];
    const parts: Uint8Array[] = [];
    for (const field of type.fields.values()) {
      const isOnPath = step?.message === type && step.field === field;
      // Of a oneof the member on the path stands, of others the first.
      if (field.oneof !== undefined && !isOnPath) {
        const chosen = step?.field.oneof === field.oneof ? step.field : [...type.fields.values()].find(({ oneof }) => oneof === field.oneof);
        if (chosen !== field) continue;
      }
      parts.push(...this.values(type, field, depth, isOnPath));
    }
    return Buffer.concat(parts);
  }

  /** A field with its tag, as often as it stands. */
  private values(type: MessageType, field: Field, depth: number, isOnPath: boolean): readonly Uint8Array[] {
    const isLast = isOnPath && depth === this.steps.length - 1;
    if (isLast && this.change === 'left out') return [];
    const variants = field.label === 'one' ? [0] : isLast && this.change === 'one more' ? [0, 1, 2] : [0, 1];
    return variants.map((variant) => {
      const isChanged = isLast && this.change === 'another value' && variant === 0;
      const inner = isOnPath && variant === 0;
      if (field.type.kind === 'message') {
        const below = messageType(field.type.name);
        const bytes = below === undefined ? new Uint8Array() : inner ? this.message(below, depth + 1) : sampleMessage(below, variant);
        return field.label === 'map' ? tagged(field.number, Buffer.concat([encodeKey(variant), tagged(2, bytes)])) : tagged(field.number, bytes);
      }
      const value = sampleValue(field, variant + (isChanged ? 7 : 0));
      return encode(type.name, { [field.name]: field.label === 'map' ? { [`key ${variant}`]: value } : field.label === 'repeated' ? [value] : value });
    });
  }

  /** Ops that name each other by their digests, with metadata and locations by digest. */
  private definition(depth: number): Uint8Array {
    const step = this.steps[depth];
    const field = step?.message.name === 'pb.Definition' ? step.field.name : undefined;
    const change = depth === this.steps.length - 1 ? this.change : undefined;
    /** Whether the walk goes on into the value of this field. */
    const enters = (name: string): boolean => field === name && (change === undefined || change === 'unknown field');
    const has = (name: string): boolean => field !== name || change !== 'left out';
    const hasMore = (name: string): boolean => field === name && change === 'one more';

    const images = ['a', 'b', 'c'].map((name) => encode('pb.Op', { source: { identifier: `docker-image://${name}` } }));
    const [first = '', second = ''] = images.map(digestOf);
    const op = enters('def') ? this.op(known('pb.Op'), depth + 1, first, second) : encode('pb.Op', { inputs: [{ digest: first }], file: {} });
    const head = encode('pb.Op', { inputs: [{ digest: digestOf(op) }] });
    const parts = [...images.slice(0, hasMore('def') ? 3 : 2), ...(has('def') ? [op] : []), head].map((bytes) => tagged(numberOf('def'), bytes));

    const metadata = known('pb.OpMetadata');
    const entry = (digest: string, bytes: Uint8Array): Uint8Array => tagged(numberOf('metadata'), Buffer.concat([encodeText(1, digest), tagged(2, bytes)]));
    if (has('metadata')) parts.push(entry(digestOf(op), enters('metadata') ? this.message(metadata, depth + 1) : sampleMessage(metadata, 0)));
    if (hasMore('metadata')) parts.push(entry(first, sampleMessage(metadata, 1)));
    const source = known('pb.Source');
    if (has('Source')) parts.push(tagged(numberOf('Source'), enters('Source') ? this.source(source, depth + 1, digestOf(op), first) : sampleMessage(source, 0)));
    return Buffer.concat(parts);
  }

  /** The op on the path, with inputs that the definition has. */
  private op(type: MessageType, depth: number, first: string, second: string): Uint8Array {
    const bytes = this.message(type, depth);
    const step = this.steps[depth];
    const inputs = step?.field.name === 'inputs' ? [] : [encode('pb.Op', { inputs: [{ digest: first, index: 1 }, { digest: second }] })];
    return Buffer.concat([bytes, ...inputs]);
  }

  /** Locations are keyed by digest. */
  private source(type: MessageType, depth: number, subject: string, other: string): Uint8Array {
    const step = this.steps[depth];
    if (step?.field.name !== 'locations') return this.message(type, depth);
    const below = typeBelow(step);
    const isLast = depth === this.steps.length - 1;
    const parts = [...type.fields.values()].filter(({ name }) => name !== 'locations').flatMap((field) => this.values(type, field, depth, false));
    const entry = (digest: string, bytes: Uint8Array): Uint8Array => tagged(step.field.number, Buffer.concat([encodeText(1, digest), tagged(2, bytes)]));
    if (below === undefined) throw new Error('locations are messages');
    if (!(isLast && this.change === 'left out')) parts.push(entry(subject, isLast && this.change !== 'unknown field' ? sampleMessage(below, 0) : this.message(below, depth + 1)));
    if (isLast && this.change === 'one more') parts.push(entry(other, sampleMessage(below, 0)));
    return Buffer.concat(parts);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const tagged = (number: number, bytes: Uint8Array): Uint8Array => Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
const encodeText = (number: number, text: string): Uint8Array => tagged(number, Buffer.from(text));
const encodeKey = (variant: number): Uint8Array => encodeText(1, `key ${variant}`);

/** A value that is nobody's default. */
function sampleValue({ type, name }: Field, variant: number): unknown {
  if (type.kind === 'enum') return variant + 1;
  if (type.kind !== 'scalar') throw new Error(`${name} is a message`);
  switch (type.scalar) {
    case 'string':
      return `${name} ${variant}`;
    case 'bytes':
      return Buffer.from(`${name} ${variant}`);
    case 'bool':
      // All that it can be besides its default; its change is to be left out.
      return variant < 7;
    default:
      return variant + 1;
  }
}

/** A message with its plain fields. */
function sampleMessage(type: MessageType, variant: number): Uint8Array {
  const plain = [...type.fields.values()].filter(({ type: { kind }, oneof }) => kind !== 'message' && oneof === undefined);
  const fields: Fields = Object.fromEntries(
    plain.map((field) => {
      const value = sampleValue(field, variant);
      return [field.name, field.label === 'map' ? { key: value } : field.label === 'repeated' ? [value] : value];
    }),
  );
  return encode(type.name, fields);
}

/** Whether a row takes the whole value of the field away, or it gives a name. */
export function isCovered({ steps, change }: Case): boolean {
  const last = steps.at(-1);
  if (last === undefined || change !== 'another value') return false;
  const names = ({ message, field, key, pattern }: (typeof VOLATILE_RULES)[number]): boolean => message === last.message.name && field === last.field.name && key === undefined && pattern === undefined;
  return VOLATILE_RULES.some(names) || DEFINING_FIELDS.some(({ message, field }) => message === last.message.name && field === last.field.name);
}

/** Whether it stands in what only describes. */
export function isAnnotated({ steps }: Case): boolean {
  return steps.some((step) => ANNOTATION_RULES.some(({ message, field }) => message === step.message.name && field === step.field.name));
}
