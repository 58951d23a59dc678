/** How many differences there are of each class, a line each. */
import { grouped, plural } from '../quantity.js';
import { padStart, plainPainter, type Painter } from '../view/index.js';
import { callsTold, DIFFERENCE_CLASSES, type DifferenceClass, type DiffReport } from './report.js';

/** @param classes those that took part */
export function* diffStat(report: DiffReport, classes: readonly DifferenceClass[], painter: Painter = plainPainter): Generator<string> {
  const { counts } = report;
  const calls = callsTold(report);
  const wide = Math.max(...DIFFERENCE_CLASSES.map((name) => grouped(counts[name]).length));
  const longest = Math.max(...DIFFERENCE_CLASSES.map(({ length }) => length));
  for (const name of DIFFERENCE_CLASSES) {
    if (!classes.includes(name)) continue;
    const within = calls.filter(({ differences }) => differences.some((difference) => difference.class === name)).length;
    const count = padStart(grouped(counts[name]), wide);
    yield counts[name] === 0 ? painter.dim(`${name.padEnd(longest)}  ${count}`) : `${name.padEnd(longest)}  ${count}  in ${plural(within, 'call')}`;
  }
}
