/** A pb.Definition for people: its ops in order, each with what it is, what it builds on and where it comes from. */
import { viewBytes, viewUnknown, type Budget, type Decoded, type DecodedObject } from './decoded.js';
import { readGraph, type Graph, type GraphOp } from './graph.js';
import {
  isMessage,
  mapField,
  messageField,
  numberField,
  repeatedMessages,
  repeatedStrings,
  stringField,
  bytesFieldOf,
  type Message,
} from './message.js';
import { commandLine } from './text.js';
import { WireFormatError } from './wire-format.js';

/** An edge to an op below. */
export interface DefinitionInput extends DecodedObject {
  /** Position of the op in the list; null when the definition doesn't hold it. */
  readonly op: number | null;
  readonly digest: string;
  /** Which of that op's outputs. */
  readonly output: number;
}

/** A place in a source file; lines and characters as BuildKit counts them. */
export interface DefinitionLocation extends DecodedObject {
  readonly file: string;
  readonly line: number;
  readonly endLine: number;
}

export interface DefinitionOp extends DecodedObject {
  readonly index: number;
  /** sha256 of the marshalled op. */
  readonly digest: string;
  /** exec, source, file, build, merge, diff, passthrough; `result` for the last op, which only names one; `#12` for a kind newer than proto/; `undecodable`. */
  readonly kind: string;
  /** One line: the command, the source, the file actions. */
  readonly summary: string;
  readonly inputs: readonly DefinitionInput[];
}

/*
 * Beside the members above an op has, where they are there: `body` (the kind's message), `platform`,
 * `constraints`, `metadata` (pb.OpMetadata), `locations`, and unknown fields.
 */

export interface Definition {
  readonly ops: readonly DefinitionOp[];
  /** What else the definition says: source files and unknown fields. */
  readonly sources?: readonly Decoded[];
  /** So many ops are not shown. */
  readonly omitted?: number;
  readonly undecodable?: string;
  readonly bytes?: Decoded;
  readonly [unknown: `#${number}`]: Decoded;
}

type View = (message: Message, budget: Budget) => Decoded;

const MAX_SUMMARY = 300;
const KINDS = ['exec', 'source', 'file', 'build', 'merge', 'diff', 'passthrough'] as const;

/** Numbers of pb.Op that are no kind of op: inputs, platform, constraints. */
const NOT_A_KIND: ReadonlySet<number> = new Set([1, 10, 11]);

const cut = (text: string): string => (text.length > MAX_SUMMARY ? `${text.slice(0, MAX_SUMMARY)}…` : text);

function fileAction(action: Message): string {
  const of = (name: string): Message | undefined => messageField(action, name);
  const path = (message: Message, name = 'path'): string => stringField(message, name);
  const copy = of('copy');
  if (copy) return `copy ${path(copy, 'src')} → ${path(copy, 'dest')}`;
  const mkfile = of('mkfile');
  if (mkfile) return `mkfile ${path(mkfile)} ${bytesFieldOf(mkfile, 'data').length} B`;
  const mkdir = of('mkdir');
  if (mkdir) return `mkdir ${path(mkdir)}`;
  const rm = of('rm');
  if (rm) return `rm ${path(rm)}`;
  const symlink = of('symlink');
  if (symlink) return `symlink ${path(symlink, 'newpath')} → ${path(symlink, 'oldpath')}`;
  return action.unknown.map(({ number }) => `#${number}`).join(' ') || 'nothing';
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function summaryOf(kind: (typeof KINDS)[number], body: Message): string {
  switch (kind) {
    case 'exec': {
      const meta = messageField(body, 'meta');
      return meta ? commandLine(repeatedStrings(meta, 'args')) : '';
    }
    case 'source':
      return stringField(body, 'identifier');
    case 'file':
      return repeatedMessages(body, 'actions').map(fileAction).join(', ');
    case 'build':
      return `builds ${plural(mapField(body, 'inputs').length, 'input')}`;
    case 'merge':
      return `merges ${plural(repeatedMessages(body, 'inputs').length, 'input')}`;
    case 'diff':
      return 'what upper has over lower';
    case 'passthrough':
      return stringField(body, 'id');
  }
}

function bodyOf(op: Message): { readonly kind: string; readonly body?: Message; readonly summary: string } {
  for (const kind of KINDS) {
    const body = messageField(op, kind);
    if (body) return { kind, body, summary: cut(summaryOf(kind, body)) };
  }
  const unknown = op.unknown.find(({ number }) => !NOT_A_KIND.has(number));
  return unknown ? { kind: `#${unknown.number}`, summary: '' } : { kind: 'result', summary: '' };
}

/** os/architecture/variant, as containerd writes it. */
function platformText(platform: Message): string {
  return ['OS', 'Architecture', 'Variant']
    .map((name) => stringField(platform, name))
    .filter((part) => part !== '')
    .join('/');
}

function locationsOf(graph: Graph, digest: string): readonly DefinitionLocation[] {
  if (!graph.source) return [];
  const infos = repeatedMessages(graph.source, 'infos');
  const entry = mapField(graph.source, 'locations').find(({ key }) => key === digest);
  if (!entry || !isMessage(entry.value)) return [];
  return repeatedMessages(entry.value, 'locations').flatMap((location) => {
    const info = infos[numberField(location, 'sourceIndex')];
    const file = info ? stringField(info, 'filename') : '';
    return repeatedMessages(location, 'ranges').map((range) => {
      const start = messageField(range, 'start');
      const end = messageField(range, 'end');
      const line = start ? numberField(start, 'line') : 0;
      return { file, line, endLine: end ? numberField(end, 'line') : line };
    });
  });
}

interface Place {
  readonly graph: Graph;
  readonly positions: ReadonlyMap<string, number>;
  readonly budget: Budget;
  readonly view: View;
}

function viewOp({ digest, bytes, op, inputs }: GraphOp, index: number, { graph, positions, budget, view }: Place): DefinitionOp {
  budget.take();
  const edges = inputs.map((input) => ({ op: positions.get(input.digest) ?? null, digest: input.digest, output: input.index }));
  if (op instanceof WireFormatError) {
    return { index, digest, kind: 'undecodable', summary: op.message, inputs: edges, bytes: viewBytes(bytes, budget) };
  }
  const { kind, body, summary } = bodyOf(op);
  const platform = messageField(op, 'platform');
  const constraints = messageField(op, 'constraints');
  const metadata = graph.metadata.get(digest);
  const locations = locationsOf(graph, digest);
  return {
    index,
    digest,
    kind,
    summary,
    inputs: edges,
    ...(body && { body: view(body, budget) }),
    ...(platform && { platform: platformText(platform) }),
    ...(constraints && { constraints: repeatedStrings(constraints, 'filter') }),
    ...(metadata && { metadata: view(metadata, budget) }),
    ...(locations.length > 0 && { locations }),
    ...viewUnknown(op.unknown, budget),
  };
}

/**
 * A decoded definition as a list of ops.
 *
 * @param view how the messages within are shown
 */
export function viewGraph(definition: Message, budget: Budget, view: View): Definition {
  const graph = readGraph(definition);
  const positions = new Map(graph.ops.map(({ digest }, index) => [digest, index]));
  const ops: DefinitionOp[] = [];
  for (const op of graph.ops) {
    if (budget.exhausted) break;
    ops.push(viewOp(op, ops.length, { graph, positions, budget, view }));
  }
  const sources = graph.source ? repeatedMessages(graph.source, 'infos').map((info) => view(info, budget)) : [];
  return {
    ops,
    ...(sources.length > 0 && { sources }),
    ...(ops.length < graph.ops.length && { omitted: graph.ops.length - ops.length }),
    ...viewUnknown(definition.unknown, budget),
  };
}
