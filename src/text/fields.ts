/** A map somebody wrote, read member by member; what is wrong is told with its place. */
import { isList, isMap, kindOf, LiteralError, scalarText, textBytes, type Literal, type LiteralMap, type LiteralPath } from '../bridge/index.js';

/** The most that 32 bits hold: user ids, exit statuses. */
export const MAX_UINT32 = 0xffff_ffff;

export class Fields {
  readonly #map: LiteralMap;

  /**
   * @param known the members that there are
   * @throws LiteralError for what is no map, and for members that nobody knows
   */
  constructor(
    literal: Literal,
    readonly at: LiteralPath,
    known: readonly string[],
  ) {
    if (!isMap(literal)) throw new LiteralError(`is ${kindOf(literal)}, and should be a map of ${known.join(', ')}`, at);
    this.#map = literal;
    for (const name of literal.keys()) if (!known.includes(name)) throw new LiteralError(`is not known here; there are ${known.join(', ')}`, [...at, name]);
  }

  has(name: string): boolean {
    return this.#map.has(name);
  }

  get(name: string): Literal {
    const value = this.#map.get(name);
    if (value === undefined) throw new LiteralError(`has no ${name}, which it needs`, this.at);
    return value;
  }

  wrong(name: string, should: string): LiteralError {
    return new LiteralError(`is ${kindOf(this.get(name))}, and should be ${should}`, [...this.at, name]);
  }

  text(name: string): string {
    const text = scalarText(this.get(name));
    if (text === undefined) throw this.wrong(name, 'a text');
    return text;
  }

  /** An object with the text under its name, for what can be left out. */
  optional<N extends string>(name: N): { readonly [K in N]?: string } {
    return this.has(name) ? ({ [name]: this.text(name) } as { readonly [K in N]?: string }) : {};
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((item, index) => {
      const text = scalarText(item);
      if (text === undefined) throw new LiteralError(`is ${kindOf(item)}, and should be a text`, [...this.at, name, index]);
      return text;
    });
  }

  list(name: string): readonly Literal[] {
    const value = this.get(name);
    if (!isList(value)) throw this.wrong(name, 'a list');
    return value;
  }

  bytes(name: string): Uint8Array {
    return textBytes(this.get(name), 'a text or !!binary', [...this.at, name]);
  }

  /** A whole number from 0 on. */
  count(name: string, max = Number.MAX_SAFE_INTEGER): number {
    const text = this.text(name);
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (!(value <= max)) throw this.wrong(name, `a whole number from 0 to ${max}`);
    return value;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const text = this.text(name);
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw this.wrong(name, `one of ${values.join(', ')}`);
    return value;
  }
}
