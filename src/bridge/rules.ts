/**
 * The rules that the normaliser goes by: those of the tables (volatile.ts, annotations.ts), less those that a user has
 * switched off, and the user's own (rule.ts).
 */
import { ANNOTATING_DETAILS, ANNOTATION_RULES } from './annotations.js';
import { FieldRules, keyMatches, type IgnoringRule } from './field-rules.js';
import type { Field } from './schema.js';
import { FRONTEND_OPTIONS, placeholder, VOLATILE_DETAILS, VOLATILE_RULES, type VolatileKind, type VolatileRule } from './volatile.js';
import type { RuleSettings, UserRule } from './rule.js';

/** A user's rule for a path of the canonical form. */
interface PathRule {
  readonly name: string;
  readonly effect: UserRule['effect'];
  /** Of the whole path. */
  readonly whole: RegExp;
  /** Of the path within an op, where the rule is about ops. */
  readonly inOp: RegExp | undefined;
  readonly pattern: RegExp | undefined;
}

const NO_CHANGES: RuleSettings = { rules: [], off: [] };

/** Lists whose items are `NAME=value`: rules find them by their names. */
const NAMED_ITEMS: ReadonlySet<string> = new Set(['pb.Meta.env']);

export class Rules {
  private readonly volatile = new Map<string, VolatileRule[]>();
  private readonly ignored = new Map<string, IgnoringRule[]>();
  private readonly annotated: ReadonlySet<string>;
  private readonly annotatingDetails: ReadonlySet<string>;
  private readonly volatileDetails: ReadonlySet<string>;
  private readonly everywhere: readonly VolatileRule[];
  private readonly paths: readonly PathRule[];
  /** There is one object for each field of each message. */
  private readonly byField = new Map<Field, FieldRules>();

  /**
   * @param exact annotations decide like all else
   */
  constructor({ rules, off }: RuleSettings = NO_CHANGES, { exact = false }: { readonly exact?: boolean } = {}) {
    const isOn = ({ name }: { readonly name: string }): boolean => !off.includes(name);
    for (const rule of VOLATILE_RULES.filter(isOn)) push(this.volatile, fieldOf(rule), rule);
    for (const rule of rules) this.add(rule);
    this.everywhere = this.volatile.get('*.*') ?? [];
    this.paths = rules.flatMap(pathRule);
    this.volatileDetails = new Set(VOLATILE_DETAILS.filter(isOn).map(({ typeUrl }) => typeUrl));
    this.annotated = new Set(exact ? [] : ANNOTATION_RULES.filter(isOn).map(fieldOf));
    this.annotatingDetails = new Set(exact ? [] : ANNOTATING_DETAILS.filter(isOn).map(({ typeUrl }) => typeUrl));
  }

  private add(rule: UserRule): void {
    const { effect, pattern, reason = '' } = rule;
    for (const { message, field, key } of fieldsOf(rule)) {
      const name = ruleName(rule);
      if (effect === 'ignore') push(this.ignored, fieldOf({ message, field }), { name, key });
      else push(this.volatile, fieldOf({ message, field }), { name, kind: 'any', message, field, reason, source: 'bridgetape.yaml', ...(key === undefined ? {} : { key }), ...(pattern === undefined ? {} : { pattern }) });
    }
  }

  /** @param message full name of the field's message */
  of(message: string, field: Field): FieldRules {
    const known = this.byField.get(field);
    if (known !== undefined) return known;
    const at = fieldOf({ message, field: field.name });
    const rules = new FieldRules({
      isAnnotation: this.isAnnotation(message, field.name),
      hasNamedItems: NAMED_ITEMS.has(at),
      volatile: this.volatile.get(at) ?? [],
      everywhere: this.everywhere,
      ignoring: this.ignored.get(at) ?? [],
    });
    this.byField.set(field, rules);
    return rules;
  }

  /** What is volatile in a string that JSON has under a key: as under that key of a map, and as in a field of that name. */
  inJson(message: string, map: string, key: string): readonly VolatileRule[] {
    const rules = (place: string): readonly VolatileRule[] => this.volatile.get(`${message}.${place}`) ?? [];
    return [...rules(map).filter((rule) => rule.key !== undefined && keyMatches(rule.key, key)), ...rules(key).filter((rule) => keyMatches(rule.key, undefined)), ...this.everywhere];
  }

  isAnnotation(message: string, field: string): boolean {
    return this.annotated.has(fieldOf({ message, field }));
  }

  isAnnotatingDetail(typeUrl: string): boolean {
    return this.annotatingDetails.has(typeUrl);
  }

  isVolatileDetail(typeUrl: string): boolean {
    return this.volatileDetails.has(typeUrl);
  }

  /** The user's rule for a path of the canonical form; within an op, for the path from there. */
  atPath(path: string, isInOp: boolean): { readonly name: string; readonly effect: UserRule['effect']; readonly pattern: RegExp | undefined } | undefined {
    return this.paths.length === 0 ? undefined : this.paths.find(({ whole, inOp }) => (isInOp ? inOp?.test(path) : whole.test(path)) === true);
  }
}

/** Those that come with bridgetape. */
export const BUILT_IN_RULES = new Rules();

const TABLES = [...VOLATILE_RULES, ...VOLATILE_DETAILS, ...ANNOTATION_RULES, ...ANNOTATING_DETAILS];

/** Names of the rules that come with bridgetape. */
export function ruleNames(): readonly string[] {
  return [...new Set(TABLES.map(({ name }) => name))];
}

/** Why a rule that comes with bridgetape is one, the first of several places; undefined for a user's. */
export function ruleReason(name: string): string | undefined {
  return TABLES.find((row) => row.name === name)?.reason;
}

/** Puts placeholders for what is volatile in a string, and reports each value that it took out. */
export function withoutVolatile(text: string, rules: readonly VolatileRule[], report: (rule: { readonly name: string; readonly kind: VolatileKind }, value: string) => void): string {
  let result = text;
  for (const rule of rules) {
    if (!rule.pattern) {
      if (result !== '') report(rule, result);
      return placeholder(rule.kind);
    }
    result = withoutMatches(result, rule.pattern, rule.kind, (value) => report(rule, value));
  }
  return result;
}

/** The same for what a pattern finds: its first group, or all of the match. */
export function withoutMatches(text: string, pattern: RegExp, kind: VolatileKind, report: (value: string) => void): string {
  return text.replace(pattern, (match: string, group: unknown) => {
    const value = typeof group === 'string' ? group : match;
    report(value);
    return match.replace(value, () => placeholder(kind));
  });
}

function fieldOf({ message, field }: { readonly message: string; readonly field: string }): string {
  return `${message}.${field}`;
}

/** How a user's rule is called where it took something out. */
function ruleName({ place }: UserRule): string {
  switch (place.kind) {
    case 'field':
      return `field ${place.message}.${place.field}`;
    case 'path':
      return `path ${place.path}`;
    case 'attribute':
    case 'option':
    case 'env':
      return `${place.kind} ${place.name}`;
  }
}

function fieldsOf({ place }: UserRule): readonly { readonly message: string; readonly field: string; readonly key?: string }[] {
  switch (place.kind) {
    case 'attribute':
      return [{ message: 'pb.SourceOp', field: 'attrs', key: place.name }];
    case 'option':
      return FRONTEND_OPTIONS.map((options) => ({ ...options, key: place.name }));
    case 'env':
      return [{ message: 'pb.Meta', field: 'env', key: place.name }];
    case 'field':
      return [{ message: place.message, field: place.field }];
    case 'path':
      return [];
  }
}

/** Where the path of a field enters an op. */
const OP = /(?:^|\.)op\[[^\]]*\]\./g;

/** A path and all that is below it; `[*]` stands for any index or key, and an op is any op. */
function pathRule(rule: UserRule): readonly PathRule[] {
  if (rule.place.kind !== 'path') return [];
  const { path } = rule.place;
  const lastOp = [...path.matchAll(OP)].at(-1);
  return [
    {
      name: ruleName(rule),
      effect: rule.effect,
      whole: pathPattern(path),
      inOp: lastOp === undefined ? undefined : pathPattern(path.slice(lastOp.index + lastOp[0].length)),
      pattern: rule.pattern,
    },
  ];
}

function pathPattern(path: string): RegExp {
  const literal = path
    .split('[*]')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('\\[[^\\]]*\\]');
  return new RegExp(`^${literal}(?=$|[.[])`, 'u');
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
