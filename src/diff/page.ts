/** What lines are written on: so wide, in colours or not, and knowing whether something was left out. */
import { cutEnd, width, type Painter } from '../view/index.js';
import { cutToFirstDifference } from './first-difference.js';

/** A narrower page is not worth fitting into. */
const NARROWEST = 12;

export type Segment = readonly [text: string, paint?: (text: string) => string];

export class Page {
  /** For what is to be whole: as wide as it gets. */
  readonly columns: number;
  readonly #said: { isCut: boolean };

  constructor(
    columns: number,
    readonly painter: Painter,
    readonly full: boolean,
    said = { isCut: false },
  ) {
    this.columns = full ? Infinity : Math.max(NARROWEST, columns);
    this.#said = said;
  }

  /** Whether something did not fit, here or on a page within, so that there is more to see with `full`. */
  get isCut(): boolean {
    return this.#said.isCut;
  }

  /** The lines that are written on a page within this one, so many columns in. */
  inset(by: number, write: (inner: Page) => Iterable<string>, painter = this.painter): readonly string[] {
    const indent = ' '.repeat(by);
    return Array.from(write(new Page(this.columns - by, painter, this.full, this.#said)), (line) => indent + line);
  }

  /** One line of segments: the last ones are cut when there is no room for all. */
  line(...segments: readonly Segment[]): string {
    let left = this.columns;
    let line = '';
    for (const [text, paint] of segments) {
      if (left <= 0 || text === '') continue;
      const shown = this.fit(text, left);
      left -= width(shown);
      line += paint === undefined ? shown : paint(shown);
    }
    return line.trimEnd();
  }

  /** Whether all of it has room on one line. */
  hasRoom(...texts: readonly string[]): boolean {
    return texts.reduce((sum, text) => sum + width(text), 0) <= this.columns;
  }

  fit(text: string, columns = this.columns): string {
    return this.#noted(text, cutEnd(text, columns));
  }

  fitPair(before: string, after: string, columns = this.columns): readonly [before: string, after: string] {
    const [was, is] = cutToFirstDifference(before, after, columns);
    return [this.#noted(before, was), this.#noted(after, is)];
  }

  /** The first of the items. */
  some<T>(items: readonly T[], most: number): readonly T[] {
    if (this.full || items.length <= most) return items;
    this.#said.isCut = true;
    return items.slice(0, most);
  }

  #noted(text: string, shown: string): string {
    if (shown !== text) this.#said.isCut = true;
    return shown;
  }
}
