/** What lines are written on: so wide, in colours or not, and knowing whether something was left out. */
import { cutEnd, width, type Painter } from '../view/index.js';
import { cutToFirstDifference } from './first-difference.js';

/** A narrower page is not worth fitting into. */
const NARROWEST = 12;

export type Segment = readonly [text: string, paint?: (text: string) => string];

export class Page {
  /** Whether something did not fit, so that there is more to see with `full`. */
  isCut = false;

  constructor(
    readonly columns: number,
    readonly painter: Painter,
    readonly full: boolean,
  ) {}

  /** The same page from so many columns on. */
  room(taken: number): number {
    return this.full ? Infinity : Math.max(NARROWEST, this.columns - taken);
  }

  fit(text: string, columns: number): string {
    return this.#noted(text, cutEnd(text, columns));
  }

  fitPair(before: string, after: string, columns: number): readonly [before: string, after: string] {
    const [was, is] = cutToFirstDifference(before, after, columns);
    return [this.#noted(before, was), this.#noted(after, is)];
  }

  /** The first of the items. */
  some<T>(items: readonly T[], most: number): readonly T[] {
    if (this.full || items.length <= most) return items;
    this.isCut = true;
    return items.slice(0, most);
  }

  /** One line of segments: the last ones are cut when there is no room for all. */
  line(indent: string, segments: readonly Segment[]): string {
    let left = this.room(width(indent));
    let line = indent;
    for (const [text, paint] of segments) {
      if (left <= 0 || text === '') continue;
      const shown = this.fit(text, left);
      left -= width(shown);
      line += paint === undefined ? shown : paint(shown);
    }
    return line.trimEnd();
  }

  #noted(text: string, shown: string): string {
    if (shown !== text) this.isCut = true;
    return shown;
  }
}
