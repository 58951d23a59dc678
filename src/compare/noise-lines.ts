/** What was set apart as noise, for people: where it is, and how often. */
import { callsTold, type CallDifferences, type DiffReport } from '../diff/index.js';
import { plural } from '../quantity.js';
import { legible } from '../view/index.js';

/** More places are a sign of something else than noise, and nobody reads them. */
const MAX_PLACES = 12;

/** @returns nothing where there is none */
export function noiseLines(noise: DiffReport, full: boolean): readonly string[] {
  const places = new Map<string, number>();
  for (const call of callsTold(noise)) for (const place of placesOf(call)) places.set(place, (places.get(place) ?? 0) + 1);
  if (places.size === 0) return [];
  const all = [...places].map(([place, times]) => `  ${legible(place)}${times === 1 ? '' : ` (${times} times)`}`);
  const shown = full ? all : all.slice(0, MAX_PLACES);
  const total = [...places.values()].reduce((sum, times) => sum + times, 0);
  return [`noise: ${plural(total, 'difference')} in what varies from run to run of one daemon as well`, ...shown, ...(shown.length < all.length ? [`  … ${plural(all.length - shown.length, 'more place')}`] : [])];
}

function placesOf({ method, about, differences }: CallDifferences): readonly string[] {
  const call = about === undefined ? method : `${method} ${about}`;
  return differences.map(({ at, op, process }) => [call, op?.before?.name ?? op?.after?.name, process?.before ?? process?.after, at === 'call' ? 'how often' : at].filter((part) => part !== undefined).join('  '));
}
