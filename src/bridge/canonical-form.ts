/** A message as the normaliser leaves it. */
import type { DefiningField, VolatileKind } from './volatile.js';

/** An id that a message introduces. */
export interface DefinedId {
  readonly kind: DefiningField['kind'];
  readonly id: string;
}

/** A value that was replaced by a placeholder. Two equal messages have theirs at the same places, in the same order. */
export interface VolatileValue {
  readonly at: string;
  readonly kind: VolatileKind;
  /** Name of the rule that says so. */
  readonly rule: string;
  readonly value: string;
}

/** Something that a user's rule leaves out of the comparison. */
export interface IgnoredField {
  readonly at: string;
  readonly rule: string;
}

export type CanonicalField = readonly [path: string, value: string];

export interface CanonicalParts {
  /** Field by field: where (`Definition.op[2].exec.meta.args[2]`), and its value in JSON's way of writing. */
  readonly fields: readonly CanonicalField[];
  /** What is said about the message's contents (annotations.ts), which decides nothing. */
  readonly annotations: readonly CanonicalField[];
  /** For each op in the message: its digest → a digest without what is volatile. */
  readonly digests: ReadonlyMap<string, string>;
  /** The same for the other digests that a newer daemon gives to the ops of an older client. */
  readonly respelled: ReadonlyMap<string, string>;
  /** The ids that the message introduces. */
  readonly defines: readonly DefinedId[];
  readonly volatile: readonly VolatileValue[];
  readonly ignored: readonly IgnoredField[];
}

/** A message in its canonical form. */
export class Canonical implements CanonicalParts {
  readonly fields: CanonicalParts['fields'];
  readonly annotations: CanonicalParts['annotations'];
  readonly digests: CanonicalParts['digests'];
  readonly respelled: CanonicalParts['respelled'];
  readonly defines: CanonicalParts['defines'];
  readonly volatile: CanonicalParts['volatile'];
  readonly ignored: CanonicalParts['ignored'];
  private joined: string | undefined;

  constructor({ fields, annotations, digests, respelled, defines, volatile, ignored }: CanonicalParts) {
    this.fields = fields;
    this.annotations = annotations;
    this.digests = digests;
    this.respelled = respelled;
    this.defines = defines;
    this.volatile = volatile;
    this.ignored = ignored;
  }

  /** Two messages of one type are the same if and only if their texts are equal. Who compares field by field has no use for it. */
  get text(): string {
    this.joined ??= lines(this.fields);
    return this.joined;
  }
}

/** An op in its canonical form. */
export interface CanonicalOp {
  readonly digest: string;
  /** Without its inputs. */
  readonly fields: readonly CanonicalField[];
  readonly annotations: readonly CanonicalField[];
  readonly volatile: readonly VolatileValue[];
  readonly ignored: readonly IgnoredField[];
}

export const lines = (fields: Canonical['fields']): string => fields.map(([path, value]) => `${path} = ${value}`).join('\n');
