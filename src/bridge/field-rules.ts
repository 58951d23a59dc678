/** What the rules say of one field. Asked for every value of every message, so it is found once for each field (bench: diff). */
import type { VolatileRule } from './volatile.js';

/** A user's rule by which a field, or its entries under a key, are not compared. */
export interface IgnoringRule {
  readonly name: string;
  readonly key: string | undefined;
}

export interface FieldRulesParts {
  readonly isAnnotation: boolean;
  readonly hasNamedItems: boolean;
  readonly volatile: readonly VolatileRule[];
  /** Volatile in every field. */
  readonly everywhere: readonly VolatileRule[];
  readonly ignoring: readonly IgnoringRule[];
}

export class FieldRules {
  /** It only describes: a difference in it decides nothing. */
  readonly isAnnotation: boolean;
  private readonly hasNamedItems: boolean;
  private readonly volatile: readonly VolatileRule[];
  private readonly everywhere: readonly VolatileRule[];
  private readonly ignoring: readonly IgnoringRule[];
  /** For all keys, where none of the rules is about one. */
  private readonly always: readonly VolatileRule[] | undefined;

  constructor({ isAnnotation, hasNamedItems, volatile, everywhere, ignoring }: FieldRulesParts) {
    this.isAnnotation = isAnnotation;
    this.hasNamedItems = hasNamedItems;
    this.volatile = volatile;
    this.everywhere = everywhere;
    this.ignoring = ignoring;
    this.always = volatile.some(({ key }) => key !== undefined) ? undefined : [...volatile, ...everywhere];
  }

  /** What is volatile in the field, or in a map's entry under a key. */
  volatileUnder(key: string | undefined): readonly VolatileRule[] {
    return this.always ?? [...this.volatile.filter((rule) => keyMatches(rule.key, key)), ...this.everywhere];
  }

  /** The rule by which the field, or an entry of it, is not compared. */
  ignoringUnder(key: string | undefined): string | undefined {
    return this.ignoring.length === 0 ? undefined : this.ignoring.find((rule) => keyMatches(rule.key, key))?.name;
  }

  /** What a list of `NAME=value` has its items' rules by; undefined for other fields. */
  itemName(item: string): string | undefined {
    if (!this.hasNamedItems) return undefined;
    const equals = item.indexOf('=');
    return equals === -1 ? item : item.slice(0, equals);
  }
}

/** @param wanted all that begin so, where it ends in `*`; undefined for every key */
export function keyMatches(wanted: string | undefined, key: string | undefined): boolean {
  return wanted === undefined || (wanted.endsWith('*') ? (key?.startsWith(wanted.slice(0, -1)) ?? false) : wanted === key);
}
