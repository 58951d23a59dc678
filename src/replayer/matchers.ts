/** Calls outside of builds when several cassettes are served: each is looked for in one cassette after the other. */
import type { Bindings } from './bindings.js';
import { isMiss, type Match, type Matcher } from './matcher.js';
import type { Miss } from './miss.js';
import type { RecordedCall } from './recorded-call.js';

/** What a live call needs of a {@link Matcher}. */
export type Matching = Pick<Matcher, 'match' | 'of' | 'use' | 'isUsed' | 'isSame' | 'reannotation'>;

/**
 * What clients ask outside of builds is what a daemon is: its workers, its version. The first cassette that knows is as
 * good as another, and is asked each time, so that it is one daemon that answers.
 *
 * @param matchers of the cassettes, in the order in which they were named
 */
export function firstOf(matchers: readonly Matcher[]): Matching {
  const holder = (call: RecordedCall): Matcher | undefined => matchers.find((matcher) => matcher.of(call.path).includes(call));
  return {
    match: (path: string, payload: Uint8Array, bindings: Bindings): Match | Miss => {
      let closest: Match | Miss | undefined;
      for (const matcher of matchers) {
        const result = matcher.match(path, payload, bindings);
        if (!isMiss(result)) return result;
        // One with calls of the method has more to say than one without.
        if (closest === undefined || (isMiss(closest) && closest.comparison?.candidates === 0)) closest = result;
      }
      return closest ?? first(matchers).match(path, payload, bindings);
    },
    of: (path) => matchers.flatMap((matcher) => matcher.of(path)),
    isSame: (...request) => first(matchers).isSame(...request),
    reannotation: (...request) => first(matchers).reannotation(...request),
    use: (call) => holder(call)?.use(call) ?? false,
    isUsed: (call) => holder(call)?.isUsed(call) ?? false,
  };
}

/** All compare by the same rules. */
function first(matchers: readonly Matcher[]): Matcher {
  const [one] = matchers;
  if (one === undefined) throw new Error('no cassette is served');
  return one;
}
