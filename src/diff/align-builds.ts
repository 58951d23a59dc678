/** Which build of one recording stands for which of the other: by what was asked for, then by their order. */
import { BRIDGE_SOLVE, frontendOptions, SOLVE, type SolveFacts } from '../bridge/index.js';
import type { Forms, Sides } from './form.js';
import { pairEqual } from './pair-equal.js';
import type { RecordedBuild } from './recorded.js';
import type { Pair } from './report.js';

/** A name has room for so many options. */
const MAX_NAMED_OPTIONS = 3;

/** @returns each build once, those of the first recording first */
export function alignBuilds(before: readonly RecordedBuild[], after: readonly RecordedBuild[], forms: Sides): readonly Pair<RecordedBuild>[] {
  const partners = new Map<RecordedBuild, RecordedBuild>();
  // From the most exact to the least.
  for (const keyOf of [asked, begun, optionsOf, frontendOf, () => '']) pairEqual(before, after, partners, { before: (build) => keyOf(build, forms.before), after: (build) => keyOf(build, forms.after) });
  const taken = new Set(partners.values());
  return [
    ...before.map((build): Pair<RecordedBuild> => {
      const partner = partners.get(build);
      return partner === undefined ? { before: build } : { before: build, after: partner };
    }),
    ...after.filter((build) => !taken.has(build)).map((build): Pair<RecordedBuild> => ({ after: build })),
  ];
}

/** All that a build's Control/Solve and its first solve asked for. */
function asked(build: RecordedBuild, forms: Forms): string {
  const solve = build.control.find(({ path }) => path === SOLVE);
  return `${solve === undefined ? '' : forms.request(solve).key}\n${begun(build, forms)}`;
}

function begun(build: RecordedBuild, forms: Forms): string {
  const first = build.calls.find(({ path }) => path === BRIDGE_SOLVE);
  return `${optionsOf(build)}\n${first === undefined ? '' : forms.request(first).key}`;
}

const optionsOf = ({ facts }: RecordedBuild): string => JSON.stringify([facts?.frontend, ...[...(facts?.options ?? [])].sort(([one], [other]) => (one < other ? -1 : 1))]);
const frontendOf = ({ facts }: RecordedBuild): string => `${facts?.frontend ?? ''} ${facts?.internal === true}`;

/** @example `dockerfile.v0 target=test`, `/bin/dockerfile-frontend source=docker/dockerfile:1` */
export function buildName({ facts, frontend, calls }: RecordedBuild): string {
  if (frontend !== undefined) return named(frontend.arguments[0] ?? 'a frontend', frontendOptions(frontend.environment).map(({ key, value }) => [key, value] as const));
  if (facts !== undefined) return named(kindOf(facts), facts.options);
  return calls.length > 0 ? 'a build' : 'a build without calls';
}

function named(kind: string, options: SolveFacts['options']): string {
  const telling = [...options].filter(([key]) => TELLING.test(key)).sort(([one], [other]) => (one < other ? -1 : 1));
  return [kind, ...telling.slice(0, MAX_NAMED_OPTIONS).map(([key, value]) => `${key}=${value}`)].join(' ');
}

function kindOf({ frontend, hasDefinition }: SolveFacts): string {
  if (frontend !== '') return frontend;
  return hasDefinition ? 'a definition' : "a client's own build";
}

const TELLING = /^(?:target|source|filename|context|platform|build-arg:.*)$/;
