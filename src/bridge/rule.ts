/**
 * What a user adds to the normaliser's rules, or takes from them: data, as a file of settings or a program says it.
 */
import { messageType } from './schema.js';

/** The values that a rule is about. A name that ends in `*` stands for all that begin so. */
export type RulePlace =
  /** An attribute of source ops, such as `git.fullurl`. */
  | { readonly kind: 'attribute'; readonly name: string }
  /** A frontend's option, such as `build-arg:COMMIT`. */
  | { readonly kind: 'option'; readonly name: string }
  /** A variable in the environment of a process or an exec op. */
  | { readonly kind: 'env'; readonly name: string }
  /** A field of a message wherever that stands, by their names in proto/. */
  | { readonly kind: 'field'; readonly message: string; readonly field: string }
  /** A field by its path in the canonical form, `[*]` for any index or key: `Definition.op[*].exec.meta.cwd`. */
  | { readonly kind: 'path'; readonly path: string };

export interface UserRule {
  /** Ignored: there or not, it is not compared. Volatile: it is there on both sides, with any value. */
  readonly effect: 'ignore' | 'volatile';
  readonly place: RulePlace;
  /** The part of the value that is volatile: its first group, or all of the match. The whole value when absent. */
  readonly pattern?: RegExp;
  readonly reason?: string;
}

/** Changes to the rules that come with bridgetape. */
export interface RuleSettings {
  readonly rules: readonly UserRule[];
  /** Names of rules that come with bridgetape and are not to hold. */
  readonly off: readonly string[];
}

/** The kinds of places, as bridgetape.yaml and `--ignore` name them. */
export const RULE_PLACES = ['attribute', 'option', 'env', 'field', 'path'] as const satisfies readonly RulePlace['kind'][];

/** @param text what stands behind the kind: a name, a path, `pb.Meta.hostname` of a field */
export function rulePlace(kind: RulePlace['kind'], text: string): { readonly place: RulePlace; readonly wrong?: string } {
  switch (kind) {
    case 'attribute':
    case 'option':
    case 'env':
      return { place: { kind, name: text } };
    case 'path':
      return { place: { kind, path: text } };
    case 'field': {
      const dot = text.lastIndexOf('.');
      const [message, field] = [text.slice(0, Math.max(0, dot)), text.slice(dot + 1)];
      const wrong = unknownField(message, field);
      return { place: { kind, message, field }, ...(wrong === undefined ? {} : { wrong }) };
    }
  }
}

/**
 * What is wrong with `message.field` as a place.
 *
 * @returns undefined when proto/ has it
 */
export function unknownField(message: string, field: string): string | undefined {
  const type = messageType(message);
  if (type === undefined) return `proto/ has no message ${message}`;
  if ([...type.fields.values()].some(({ name }) => name === field)) return undefined;
  return `${message} has no field ${field}; it has ${[...type.fields.values()].map(({ name }) => name).join(', ')}`;
}
