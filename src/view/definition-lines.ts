/** A definition as an op list with its graph: a line an op, what it builds on, and its attributes below. */
import type { Decoded, DecodedObject, DefinitionInput, DefinitionOp } from '../bridge/index.js';
import { isList, isObject, without } from './decoded-value.js';
import type { Extent } from './extent.js';
import { indented, legible, padEnd } from './legible.js';
import { plural } from '../quantity.js';

interface OpList extends DecodedObject {
  readonly ops: readonly DefinitionOp[];
}

/** A graph of hundreds of ops is for --full. */
const MAX_OPS = 100;
const SHORT_DIGEST = 12;

/** Within a decoded message a definition is known by its shape alone. */
export function asDefinition(value: Decoded): OpList | undefined {
  return isObject(value) && hasOps(value) ? value : undefined;
}

function hasOps(value: DecodedObject): value is OpList {
  const ops = value['ops'];
  return isList(ops) && ops.every(isOp);
}

function isOp(value: Decoded): value is DefinitionOp {
  if (!isObject(value)) return false;
  const { index, digest, kind, summary, inputs } = value;
  return typeof index === 'number' && typeof digest === 'string' && typeof kind === 'string' && typeof summary === 'string' && isList(inputs) && inputs.every(isInput);
}

function isInput(value: Decoded): value is DefinitionInput {
  return isObject(value) && (value['op'] === null || typeof value['op'] === 'number') && typeof value['digest'] === 'string' && typeof value['output'] === 'number';
}

/**
 * @param nested how the values within an op are shown
 */
export function definitionLines(definition: OpList, extent: Extent, nested: (value: Decoded, extent: Extent) => string[]): string[] {
  const { ops } = definition;
  const shown = extent.full ? ops : ops.slice(0, MAX_OPS);
  const kindWidth = Math.max(0, ...shown.map(({ kind }) => kind.length));
  const margin = String(Math.max(0, shown.length - 1)).length + 3;
  const details = (object: DecodedObject, columns: number): string[] =>
    Object.keys(object).length === 0 ? [] : indented(nested(object, { ...extent, width: extent.width - columns }), ' '.repeat(columns));
  return [
    ...shown.flatMap((op) => [opLine(op, margin, kindWidth), ...details(detailsOf(op), margin)]),
    ...(ops.length > shown.length ? [`… ${plural(ops.length - shown.length, 'more op')}`] : []),
    ...details(without(definition, 'ops'), 0),
  ];
}

/** `[2] 4f1c0ffee123  exec    sh -c "make"  ← [0] [1]:1` */
function opLine({ index, digest, kind, summary, inputs }: DefinitionOp, margin: number, kindWidth: number): string {
  const parts = [`${`[${index}]`.padStart(margin - 1)} ${shortDigest(digest)}`, summary === '' ? legible(kind) : `${padEnd(legible(kind), kindWidth)}  ${legible(summary)}`];
  if (inputs.length > 0) parts.push(`← ${inputs.map(inputText).join(' ')}`);
  return parts.join('  ');
}

function inputText({ op, digest, output }: DefinitionInput): string {
  return `${op === null ? `${shortDigest(digest)} (not in here)` : `[${op}]`}${output === 0 ? '' : `:${output}`}`;
}

const shortDigest = (digest: string): string => legible(digest.replace(/^sha256:/, '').slice(0, SHORT_DIGEST));

/** What the op's own line does not say. */
function detailsOf(op: DefinitionOp): DecodedObject {
  const body = op['body'];
  const metadata = op['metadata'];
  const locations = op['locations'];
  return {
    ...(isObject(body) ? bodyBesideSummary(op, body) : body === undefined ? {} : { body }),
    ...without(op, 'index', 'digest', 'kind', 'summary', 'inputs', 'body', 'metadata', 'locations'),
    ...(metadata === undefined ? {} : { metadata: withCapsNamed(metadata) }),
    ...(isList(locations) ? { locations: locations.map(place) } : {}),
  };
}

/** A source's identifier and a command stand in the op's line already, unless they were cut there. */
function bodyBesideSummary({ kind, summary }: DefinitionOp, body: DecodedObject): DecodedObject {
  if (summary.endsWith('…')) return body;
  if (kind === 'source') return without(body, 'identifier');
  const meta = body['meta'];
  return kind === 'exec' && isObject(meta) ? { ...body, meta: without(meta, 'args') } : body;
}

/** Capabilities are a map of names to true, and long: the names are enough. */
function withCapsNamed(metadata: Decoded): Decoded {
  if (!isObject(metadata)) return metadata;
  const { caps } = metadata;
  return isObject(caps) && Object.values(caps).every((value) => value === true) ? { ...metadata, caps: Object.keys(caps).sort().join(' ') } : metadata;
}

/** `Dockerfile:3`, `Dockerfile:3-5` */
function place(location: Decoded): Decoded {
  if (!isObject(location)) return location;
  const { file, line, endLine } = location;
  if (typeof file !== 'string' || typeof line !== 'number' || typeof endLine !== 'number') return location;
  return `${file}:${line}${endLine === line ? '' : `-${endLine}`}`;
}
