/** Lines of a label and what is to be said under it, with later lines under the first. */
import { wrap } from './legible.js';
import type { Painter } from './painter.js';

const LABEL = 12;

export interface Fact {
  readonly label: string;
  readonly text: string;
  /** Something is missing or wrong. */
  readonly alarming?: boolean;
}

export function factLines(facts: readonly Fact[], width: number, painter: Painter): string[] {
  return facts.flatMap(({ label, text, alarming = false }) =>
    wrap(text, width - LABEL).map((line, index) => painter.dim((index === 0 ? `  ${label}` : '').padEnd(LABEL)) + (alarming ? painter.yellow(line) : line)),
  );
}
