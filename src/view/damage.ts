/** What of a cassette can't be read, and which calls that hits. */
import type { CassetteState, Damage } from '../cassette/index.js';
import type { Fact } from './facts.js';
import { legible } from './legible.js';
import type { Painter } from './painter.js';
import { grouped, plural, size } from '../quantity.js';

/** So many places are told apart; the rest is counted. */
const MAX_DAMAGES = 8;
/** So many call numbers stand in a row. */
const MAX_CALLS_NAMED = 12;

export function paintedState(state: CassetteState, painter: Painter): string {
  switch (state) {
    case 'whole':
      return painter.green(state);
    case 'interrupted':
      return painter.yellow(state);
    case 'damaged':
      return painter.red(state);
  }
}

export function damageFacts(damages: readonly Damage[]): Fact[] {
  const facts: Fact[] = damages.slice(0, MAX_DAMAGES).map((damage) => ({ label: 'damage', text: damageText(damage), alarming: true }));
  const rest = damages.length - facts.length;
  return rest === 0 ? facts : [...facts, { label: '', text: `and ${plural(rest, 'more damaged place')}`, alarming: true }];
}

/** `byte 1,234 (312 B, events): the checksum is wrong; hits calls 3, 4` */
function damageText({ offset, bytes, kind, reason, calls }: Damage): string {
  const what = kind === 'unknown' ? size(bytes) : `${size(bytes)}, ${kind}`;
  return `byte ${grouped(offset)} (${what}): ${legible(reason)}${calls.length === 0 ? '' : `; hits ${callNumbers(calls)}`}`;
}

/** `call 3`, `calls 3, 4`, `calls 1, 2, … (40 in all)` */
export function callNumbers(ids: readonly number[]): string {
  const shown = ids.slice(0, MAX_CALLS_NAMED).join(', ');
  return `call${ids.length === 1 ? '' : 's'} ${shown}${ids.length > MAX_CALLS_NAMED ? `, … (${ids.length} in all)` : ''}`;
}
