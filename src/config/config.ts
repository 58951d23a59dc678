/** bridgetape.yaml as values; what is wrong with it is told with its line and key. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import * as z from 'zod';

import { RULE_PLACES, ruleNames, rulePlace, type RuleSettings, type UserRule } from '../bridge/index.js';
import { BridgetapeError } from '../errors.js';

export interface Config {
  readonly rules: RuleSettings;
}

/** Settings are written by hand. */
const MAX_CONFIG_BYTES = 1024 * 1024;
/** A few short texts each; more than anybody writes. */
const MAX_RULES = 1000;
const MAX_TEXT = 1000;
/** What yaml puts behind its messages, and stands before them here. */
const PLACE_IN_MESSAGE = / at line \d+, column \d+:$/;
/** Aliases could make a small file a large value. */
const MAX_ALIASES = 100;

const text = z.string().min(1, 'is empty').max(MAX_TEXT, `is longer than ${MAX_TEXT} characters`);
const place = { attribute: text.optional(), option: text.optional(), env: text.optional(), field: text.optional(), path: text.optional(), reason: text.optional() };

const onePlace = (rule: Partial<Record<(typeof RULE_PLACES)[number], unknown>>): boolean => RULE_PLACES.filter((name) => rule[name] !== undefined).length === 1;
const ONE_PLACE = `names one place: one of ${RULE_PLACES.join(', ')}`;

const pattern = text.transform((source, context) => {
  try {
    return new RegExp(source, 'gu');
  } catch (error) {
    context.addIssue({ code: 'custom', message: `is no regular expression: ${error instanceof Error ? error.message : String(error)}` });
    return z.NEVER;
  }
});

const builtIn = text.superRefine((name, context) => {
  if (!ruleNames().includes(name)) context.addIssue({ code: 'custom', message: `no rule is called ${name}; there are ${ruleNames().join(', ')}` });
});

const schema = z.strictObject({
  rules: z
    .strictObject({
      ignore: z.array(z.strictObject(place).refine(onePlace, ONE_PLACE)).max(MAX_RULES, `has more than ${MAX_RULES} rules`).default([]),
      volatile: z.array(z.strictObject({ ...place, pattern: pattern.optional() }).refine(onePlace, ONE_PLACE)).max(MAX_RULES, `has more than ${MAX_RULES} rules`).default([]),
      off: z.array(builtIn).max(MAX_RULES, `has more than ${MAX_RULES} names`).default([]),
    })
    .default({ ignore: [], volatile: [], off: [] }),
});

type WrittenRule = z.output<typeof schema>['rules']['volatile'][number];

/**
 * Reads a bridgetape.yaml.
 *
 * @throws BridgetapeError `bad-config`, with the line and the key
 */
export function readConfig(file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) throw wrong(`${file}:${broken.linePos?.[0].line ?? 1}`, (broken.message.split('\n')[0] ?? 'is no YAML').replace(PLACE_IN_MESSAGE, ''));
  const where = (path: readonly PropertyKey[]): string => `${file}:${lineOf(document, lines, path)}: ${keyText(path)}`;
  const { success, data, error } = schema.safeParse(valueOf(document, file));
  if (!success) {
    const [issue] = error.issues;
    const path = issue?.path ?? [];
    const key = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    throw wrong(`${file}:${key === undefined ? lineOf(document, lines, path) : lineOfKey(document, lines, path, key)}: ${keyText(path)}`, issue?.message ?? 'is not understood');
  }
  const read = (list: 'ignore' | 'volatile', rules: readonly WrittenRule[]): readonly UserRule[] =>
    rules.map((rule, index) => {
      const { place, wrong: wrongField } = placeOf(rule);
      if (wrongField !== undefined) throw wrong(where(['rules', list, index, 'field']), wrongField);
      return { effect: list, place, ...(rule.pattern === undefined ? {} : { pattern: rule.pattern }), ...(rule.reason === undefined ? {} : { reason: rule.reason }) };
    });
  const { ignore, volatile, off } = data.rules;
  return { rules: { rules: [...read('ignore', ignore), ...read('volatile', volatile)], off } };
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_CONFIG_BYTES) throw wrong(file, `has ${size} bytes; more than ${MAX_CONFIG_BYTES} are not read`);
    const bytes = readStart(file, MAX_CONFIG_BYTES + 1);
    // A device, or a file that grew: its size says nothing.
    if (bytes.length > MAX_CONFIG_BYTES) throw wrong(file, `has no end in sight; more than ${MAX_CONFIG_BYTES} bytes are not read`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof BridgetapeError) throw error;
    throw wrong(file, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A file up to its end, or so many bytes of it. */
function readStart(file: string, most: number): Buffer {
  const bytes = Buffer.alloc(most);
  const open = openSync(file, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < most; length += read) read = readSync(open, bytes, length, most - length, null);
    return bytes.subarray(0, length);
  } finally {
    closeSync(open);
  }
}

/** An empty file is settings without any. */
function valueOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
  } catch (error) {
    throw wrong(file, error instanceof Error ? error.message : String(error));
  }
}

function placeOf(rule: WrittenRule): ReturnType<typeof rulePlace> {
  const kind = RULE_PLACES.find((name) => rule[name] !== undefined) ?? 'path';
  return rulePlace(kind, rule[kind] ?? '');
}

/** The line of a key, or of the nearest one above it that is there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** The line of a key that stands below a path. */
function lineOfKey(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[], key: string): number {
  const parent: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  const found = isMap(parent) ? parent.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key) : undefined;
  return isNode(found?.key) && found.key.range ? lines.linePos(found.key.range[0]).line : lineOf(document, lines, path);
}

function keyText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the file';
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? String(key) : `.${String(key)}`)).join('');
}

function wrong(where: string, what: string): BridgetapeError {
  return new BridgetapeError('bad-config', `${where}: ${what}.`, 'docs/rules.md says what bridgetape.yaml can hold.');
}
