/** Which methods a fault means by its name for them: known ones only, and never a guess between two. */
import { knownMethods, knownServices, shortMethod } from '../bridge/index.js';
import type { Fault } from './fault.js';
import { closestName } from './closest-name.js';
import { formatFault, refusal } from './fault-spec.js';

/** So many methods are named to somebody who named none of them. */
const MAX_NAMED = 30;

/**
 * @param recorded the `:path`s of the cassette
 * @returns the `:path` that is meant; undefined for every one
 * @throws BridgetapeError `bad-argument` when neither the cassette nor bridgetape knows the method, or when several have its name
 */
export function faultPath(fault: Fault, recorded: Iterable<string>): string | undefined {
  const { method } = fault;
  if (method === '*') return undefined;
  const own = [...recorded];
  const known = new Set([...own, ...knownServices().flatMap((service) => knownMethods(service).map(({ path }) => path))]);
  const meant = [...known].filter((path) => path === method || shortMethod(path) === method || nameOf(path) === method);
  const [path] = meant;
  if (path === undefined) {
    const closest = closestName(method, names(method, [...known]));
    const hint = closest === undefined ? `The cassette has calls of ${[...new Set(own.map(shortMethod))].slice(0, MAX_NAMED).join(', ')}.` : `Did you mean ${closest}?`;
    throw refusal(formatFault(fault), 0, `names the method "${method}", which neither the cassette nor bridgetape knows`, hint);
  }
  if (meant.length > 1) throw refusal(formatFault(fault), 0, `names the method "${method}", which there is more than once`, `Write ${distinct(meant).join(' or ')}.`);
  return path;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The known ones, written like the one that was given. */
function names(method: string, known: readonly string[]): readonly string[] {
  return known.map((path) => (method.startsWith('/') ? path : method.includes('/') ? shortMethod(path) : nameOf(path)));
}

function distinct(paths: readonly string[]): readonly string[] {
  const short = paths.map(shortMethod);
  return new Set(short).size === paths.length ? short : paths;
}
