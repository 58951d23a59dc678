/**
 * A decoded message as indented lines: names and values, lists with dashes, short things on one line. What is long
 * is cut and says how long it was.
 */
import type { Decoded, DecodedObject } from '../bridge/index.js';
import { isList, isObject } from './decoded-value.js';
import { asDefinition, definitionLines } from './definition-lines.js';
import type { Extent } from './extent.js';
import { indented, legible, width as columnsOf } from './legible.js';
import { plural, size } from '../quantity.js';

/** For people: so many characters of a value, lines of a text, items of a list. */
const MAX_CHARS = 240;
const MAX_LINES = 12;
const MAX_ITEMS = 40;

const INDENT = '  ';

/** The lines of a value that stands for itself; an empty message says so. */
export function outline(value: Decoded, extent: Extent): string[] {
  const definition = asDefinition(value);
  if (definition !== undefined) return definitionLines(definition, extent, outline);
  const part = partOf(value);
  if (part === undefined && isObject(value)) return Object.keys(value).length === 0 ? ['(empty)'] : memberLines(value, extent);
  if (isList(value)) return value.length === 0 ? ['[]'] : itemLines(value, extent);
  return scalarLines(value, part, extent);
}

/** `name: value` for each member. */
export function memberLines(object: DecodedObject, extent: Extent): string[] {
  return Object.entries(object).flatMap(([name, value]) => labelled(`${nameText(name)}:`, value, extent));
}

function labelled(label: string, value: Decoded, extent: Extent): string[] {
  const definition = asDefinition(value);
  if (definition !== undefined) return [`${label} ${plural(definition.ops.length, 'op')}`, ...indented(definitionLines(definition, extent, outline))];
  const flow = flowText(value, extent.width - columnsOf(label) - 1);
  if (flow !== undefined) return [`${label} ${flow}`];
  const [first = '', ...rest] = outline(value, extent);
  // A scalar stands behind its name; a text of several lines says there what it is.
  const isScalar = partOf(value) !== undefined || !(isList(value) || isObject(value));
  return isScalar ? [`${label} ${first}`, ...rest] : [label, ...indented([first, ...rest])];
}

function itemLines(items: readonly Decoded[], extent: Extent): string[] {
  const shown = extent.full ? items : items.slice(0, MAX_ITEMS);
  const lines = shown.flatMap((item) => {
    const [first = '', ...rest] = labelled('-', item, extent);
    // An object's members stand behind the dash itself.
    const [second, ...more] = rest;
    return first === '-' && second !== undefined ? [`- ${second.slice(INDENT.length)}`, ...more] : [first, ...rest];
  });
  return items.length > shown.length ? [...lines, `… ${items.length - shown.length} more`] : lines;
}

/** Lists and objects of short scalars on one line, when that fits. */
function flowText(value: Decoded, room: number): string | undefined {
  const inner = (item: Decoded): string | undefined => (isList(item) || isObject(item) ? undefined : scalarText(item, true));
  if (isList(value)) {
    if (value.length === 0) return '[]';
    const items = value.length <= MAX_ITEMS ? value.map(inner) : [undefined];
    const text = `[${items.join(', ')}]`;
    return items.includes(undefined) || columnsOf(text) > room ? undefined : text;
  }
  if (!isObject(value) || partOf(value) !== undefined) return undefined;
  const entries = Object.entries(value).map(([name, item]) => [nameText(name), inner(item)] as const);
  if (entries.length === 0) return '{}';
  if (entries.length > 4 || entries.some(([, item]) => item === undefined)) return undefined;
  const text = `{ ${entries.map(([name, item]) => `${name}: ${item ?? ''}`).join(', ')} }`;
  return columnsOf(text) > room ? undefined : text;
}

const nameText = (name: string): string => (/^[\p{L}\p{N}_@%+=./#<>~*!?$&()^-][\p{L}\p{N}_@%+=:./#<>~*!?$&()^-]*$/u.test(name) && !name.endsWith(':') ? name : quoted(name));

/** A literal that a terminal can take; JSON within it stays readable. */
function quoted(text: string): string {
  const asIs = text.includes('"') && !text.includes("'") && legible(text) === text;
  return asIs ? `'${text}'` : legible(JSON.stringify(text));
}

/** Strings that read as what they are without quotes. */
const PLAIN = /^[\p{L}\p{N}_@%+=./<>~*!?$^;()-](?:[\p{L}\p{N}_@%+=:./<>~*!?$^;()'" -]*[\p{L}\p{N}_@%+=./<>~*!?$^;()'"-])?$/u;
const LOOKS_LIKE_ANOTHER_TYPE = /^(?:-?[\d.]+(?:e[+-]?\d+)?|true|false|null)$/i;

function scalarText(value: null | string | number | boolean, inFlow = false): string {
  if (typeof value !== 'string') return String(value);
  const plain = PLAIN.test(value) && !LOOKS_LIKE_ANOTHER_TYPE.test(value) && !value.startsWith('- ') && !value.includes(': ');
  return plain && !(inFlow && value.includes(' ')) ? value : quoted(value);
}

/** Bytes, or a text that the decoder has cut. */
interface Part {
  readonly content: string;
  readonly encoding: 'text' | 'base64';
  readonly bytes: number;
  readonly truncated: boolean;
}

function partOf(value: Decoded): Part | undefined {
  if (!isObject(value)) return undefined;
  const { text, base64, size: bytes, truncated, ...others } = value;
  const content = text ?? base64;
  if (typeof content !== 'string' || typeof bytes !== 'number' || Object.keys(others).length > 0) return undefined;
  if (text !== undefined && (base64 !== undefined || truncated !== true)) return undefined;
  return { content, encoding: text === undefined ? 'base64' : 'text', bytes, truncated: truncated === true };
}

function scalarLines(value: Decoded, part: Part | undefined, extent: Extent): string[] {
  if (part?.encoding === 'base64') return [base64Text(part, extent)];
  const text = part?.content ?? value;
  if (typeof text !== 'string') return [isList(text) || isObject(text) ? '' : scalarText(text)];
  return textLines(text, part?.bytes ?? Buffer.byteLength(text), part?.truncated ?? false, extent);
}

function base64Text({ content, bytes, truncated }: Part, { full }: Extent): string {
  const shown = full ? content : content.slice(0, MAX_CHARS);
  return `${shown}${truncated || shown.length < content.length ? '…' : ''} (base64, ${size(bytes)})`;
}

/** A text of several lines line by line below its size, any other on one line. */
function textLines(text: string, bytes: number, truncated: boolean, { full }: Extent): string[] {
  const lines = text.split('\n');
  if (lines.length > 2 || (lines.length === 2 && lines[1] !== '')) {
    const ended = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
    const shown = full ? ended : ended.slice(0, MAX_LINES);
    const body = shown.map((line) => (full ? legible(line) : shortened(legible(line))));
    const rest = ended.length - shown.length;
    return [`| (${size(bytes)})`, ...indented([...body, ...(truncated ? [`… cut, ${size(bytes)} in all`] : rest > 0 ? [`… ${plural(rest, 'more line')}`] : [])])];
  }
  const whole = scalarText(text);
  if (!truncated && (full || whole.length <= MAX_CHARS)) return [whole];
  return [`${quoted(full ? text : text.slice(0, MAX_CHARS))}… (${size(bytes)} in all)`];
}

const shortened = (line: string): string => (line.length <= MAX_CHARS ? line : `${line.slice(0, MAX_CHARS)}… (${line.length} characters in all)`);
