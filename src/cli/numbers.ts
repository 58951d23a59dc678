/** Numbers as they are written behind a command. */
import { BridgetapeError } from '../errors.js';

/** @throws BridgetapeError `bad-argument` */
export function callNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BridgetapeError('bad-argument', `"${text}" is no call number.`, 'Name a call by its number in the table: bridgetape show FILE');
}

/**
 * A factor for everything, and factors for single things: `1`, `ReadFile=0`. Of several for the same the last one counts.
 *
 * @throws BridgetapeError `bad-argument`
 */
export function factors(flag: string, texts: readonly string[]): { readonly all: number | undefined; readonly named: Readonly<Record<string, number>> } {
  let all: number | undefined;
  const named = new Map<string, number>();
  for (const text of texts) {
    const at = text.lastIndexOf('=');
    if (at === -1) all = nonNegative(flag, text);
    else named.set(text.slice(0, at), nonNegative(flag, text.slice(at + 1)));
  }
  return { all, named: Object.fromEntries(named) };
}

/** As seconds, some thirty years: no sum of times and no product with one leaves the range of what counts them. */
const MOST = 1_000_000_000;

/** @throws BridgetapeError `bad-argument` */
export function nonNegative(flag: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= 0 && value <= MOST)) {
    throw new BridgetapeError('bad-argument', `${flag} got "${text}", which is no number from 0 to ${MOST}.`, `Write it as ${flag} 1 or ${flag} 0.5.`);
  }
  return value;
}

/** @throws BridgetapeError `bad-argument` */
export function wholeNumber(flag: string, text: string, most: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new BridgetapeError('bad-argument', `${flag} got "${text}", which is no whole number from 1 to ${most}.`, `Write it as ${flag} 3.`);
}
