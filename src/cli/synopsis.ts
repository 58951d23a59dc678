/** What a command takes, as data: its arguments are parsed and its help is laid out from this. */

/** Given or not. */
export interface Flag {
  readonly kind: 'flag';
  readonly about: string;
}

/** Given once; of several the last one counts. */
export interface Text {
  readonly kind: 'text';
  /** One letter: `-o` beside `--output`. */
  readonly short?: string;
  /** What stands for the value in the help: `FILE`. */
  readonly value: string;
  readonly about: string;
  readonly required?: true;
  readonly default?: string;
  /** Said in place of the default, where that depends on something. */
  readonly defaultAbout?: string;
}

/** Given any number of times. */
export interface List {
  readonly kind: 'list';
  readonly value: string;
  readonly about: string;
}

export type Option = Flag | Text | List;

export function otherNames(option: Option): readonly string[] {
  return option.kind === 'text' && option.short !== undefined ? [option.short] : [];
}

/** By their long names: `--name`. */
export type Options = Readonly<Record<string, Option>>;

export interface Operand {
  readonly about: string;
  readonly required?: true;
  /** It takes every word that is left: the last one only. */
  readonly many?: true;
}

/** By name, in order, the required ones first. */
export type Operands = Readonly<Record<string, Operand>>;

export interface Synopsis<P extends Operands = Operands, O extends Options = Options> {
  readonly name: string;
  readonly about: string;
  readonly operands: P;
  readonly options: O;
  /** Whether a command of the user's can stand after `--`. */
  readonly runsCommand: boolean;
  readonly examples: readonly { readonly line: string; readonly about?: string }[];
  /** Paragraphs at the end of the help. */
  readonly notes: readonly string[];
  /** What has a help of its own: `COMMAND --help NAME`. */
  readonly topics?: readonly Topic[];
}

export interface Topic {
  readonly name: string;
  readonly paragraphs: readonly string[];
  readonly tables: readonly { readonly title: string; readonly rows: readonly (readonly [form: string, about: string])[] }[];
  /** Those of the command's options that this help has, in place of the command's own. */
  readonly options?: Options;
  readonly examples: readonly string[];
}

type OperandValue<P extends Operand> = P extends { many: true } ? readonly string[] : P extends { required: true } ? string : string | undefined;
type OptionValue<O extends Option> = O extends Flag ? boolean : O extends List ? readonly string[] : O extends { required: true } | { default: string } ? string : string | undefined;

export type OptionValues<O extends Options> = { readonly [name in keyof O]: OptionValue<O[name]> };
export type Values<P extends Operands, O extends Options> = { readonly [name in keyof P]: OperandValue<P[name]> } & OptionValues<O>;

/** What every command takes, and the front door sees to. */
export const COMMON = {
  debug: { kind: 'flag', about: 'Print stack traces' },
  help: { kind: 'flag', about: 'Show this help' },
  version: { kind: 'flag', about: 'Show the version' },
} as const satisfies Options;
