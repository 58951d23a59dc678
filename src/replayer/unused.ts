/** Recorded calls that no client has made again, for people. */
import { shortMethod } from '../bridge/index.js';

/** A recorded call that no client has made. */
export interface UnusedCall {
  readonly cassette: string;
  /** Its number in that. */
  readonly call: number;
  /** `/package.Service/Method` */
  readonly path: string;
}

/** Calls of so many methods are named in a line. */
const MAX_METHODS = 6;
const MAX_CALLS = 8;

/** In a line for each cassette, which of its calls nobody made. */
export function describeUnused(unused: readonly UnusedCall[]): readonly string[] {
  const byCassette = grouped(unused, ({ cassette }) => cassette);
  return Array.from(byCassette, ([cassette, calls]) => {
    const methods = [...grouped(calls, ({ path }) => path)].map(([path, ones]) => {
      const numbers = ones.slice(0, MAX_CALLS).map(({ call }) => call);
      return `${shortMethod(path)} (${numbers.length === 1 ? 'call' : 'calls'} ${numbers.join(', ')}${ones.length > MAX_CALLS ? ', …' : ''})`;
    });
    const more = methods.length - MAX_METHODS;
    return `bridgetape: not asked for, of what ${cassette} holds: ${methods.slice(0, MAX_METHODS).join(', ')}${more > 0 ? ` and calls of ${more} more methods` : ''}`;
  });
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}
