/** Which method is meant by a name for it: a known one, and never a guess between two. */
import { knownMethods, knownServices, shortMethod } from '../bridge/index.js';
import { closestName } from './closest-name.js';

/** So many methods are named to somebody who named none of them. */
const MAX_NAMED = 30;

export type MethodMeant =
  | { readonly kind: 'one'; readonly path: string }
  /** What is wrong with the name, to stand behind "names", and what to write instead. */
  | { readonly kind: 'none'; readonly what: string; readonly hint: string };

/**
 * @param name `ReadFile`, `LLBBridge/Solve`, or a whole `:path`
 * @param recorded the `:path`s of the cassette
 */
export function methodMeant(name: string, recorded: Iterable<string>): MethodMeant {
  const own = [...recorded];
  const known = [...new Set([...own, ...knownServices().flatMap((service) => knownMethods(service).map(({ path }) => path))])];
  const meant = known.filter((path) => path === name || shortMethod(path) === name || nameOf(path) === name);
  const [path] = meant;
  if (path === undefined) {
    const closest = closestName(name, alike(name, known));
    const hint = closest === undefined ? `The cassette has calls of ${[...new Set(own.map(shortMethod))].slice(0, MAX_NAMED).join(', ')}.` : `Did you mean ${closest}?`;
    return { kind: 'none', what: `the method "${name}", which neither the cassette nor bridgetape knows`, hint };
  }
  if (meant.length > 1) return { kind: 'none', what: `the method "${name}", which there is more than once`, hint: `Write ${distinct(meant).join(' or ')}.` };
  return { kind: 'one', path };
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The known ones, written like the one that was given. */
function alike(name: string, known: readonly string[]): readonly string[] {
  return known.map((path) => (name.startsWith('/') ? path : name.includes('/') ? shortMethod(path) : nameOf(path)));
}

function distinct(paths: readonly string[]): readonly string[] {
  const short = paths.map(shortMethod);
  return new Set(short).size === paths.length ? short : paths;
}
