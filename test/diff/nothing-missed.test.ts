/**
 * The proof of "nothing missed": every field that stands in a message of these recordings, found by its descriptors, is changed,
 * and the change is told, in the right class and at the right path, and nothing else is.
 */
import { describe, expect, it } from 'vitest';
import { ANNOTATION_RULES, BRIDGE, shortMethod, VOLATILE_RULES } from '../../src/bridge/index.js';
import { WORLD_RULES } from '../../src/diff/index.js';
import type { DifferenceClass } from '../../src/diff/index.js';
import { Held, toldIn, type Told } from './cassettes.js';
import { seedsIn, type Seed } from './seeds.js';

/** Takes long to compare: changed are fields that stand in none of the others, each once. */
const LONG = 'exec-v0.32.2';
const RECORDINGS = ['container-v0.32.2', 'container-v0.8.3', 'dialogue-v0.32.2', 'failing-v0.32.2', 'dockerfile-v0.32.2', LONG] as const;

/** Ids and digests mean something by what refers to them, and are compared by that. */
const BY_ROLE = /(?:^|\.)(?:id|ref|refs|ContainerID|ProcessID|Ref)(?:\[.*\])?$|Workers\.ID$|\["?digest|\.digest$|locations\[sha256|metadata\[sha256/;

/** What a rule says of a value: its reason is in the rule. */
function isCovered({ owner, field, key, path }: Seed): boolean {
  const keyed = (wanted: string | undefined): boolean => wanted === undefined || wanted === key;
  if (VOLATILE_RULES.some((rule) => rule.message === owner && rule.field === field && rule.pattern === undefined && keyed(rule.key))) return true;
  if (WORLD_RULES.some(({ place }) => place.kind === 'field' && place.message === owner && place.field === field)) return true;
  return /stack\.Stack/.test(path) || key === 'org.mobyproject.buildkit.worker.hostname';
}

/** Changes the meaning of a whole message, or the end of a stream: told as what it comes to. */
const COMES_TO_MORE = /(?:type_url|Caps\.ID|File\.Fd)$/;

function classOf({ method, side, path }: Seed): readonly DifferenceClass[] {
  if (method.endsWith('/ExecProcess')) return side === 'status' ? ['errors'] : ['exec'];
  if (side === 'status' || (method.endsWith('/Return') && path.startsWith('error'))) return ['errors'];
  if (side === 'client') return ['requests'];
  return method.endsWith('/Ping') ? ['environment'] : ['responses'];
}

/** Where the reader is sent: the last name of the path, which an exec stream's messages are told without. */
function isAt({ owner, field, path, method, side }: Seed, { at }: Told): boolean {
  if (method.endsWith('/ExecProcess') && /^(?:File|Resize|Signal|Started|Done)\b/.test(path)) return side === 'client' ? /^(?:stdin|input|resize|signal)/.test(at) : /^(?:stdout|stderr|fd)/.test(at);
  // An op's input is told whole: which op's, and which of its outputs.
  if (owner === 'pb.Input') return /inputs\[\d+\]$/.test(at) || at === 'op';
  // A detail is told by its type.
  if (field === 'type_url') return at.includes('details[');
  const name = field.charAt(0).toLowerCase() + field.slice(1);
  return at.includes(field) || at.includes(name) || at === 'op' || path.startsWith(at);
}

const seedsOf = (held: Held): readonly Seed[] => seedsIn(held.events, (path) => path.startsWith(BRIDGE)).filter((seed) => !isCovered(seed) && !BY_ROLE.test(seed.path));
const said = ({ method, side, path }: Seed): string => `${shortMethod(method)} ${side} ${path}`;

const fieldOf = ({ side, owner, field }: Seed): string => `${side} ${owner}.${field}`;
const changed = new Map<string, Seed>();

describe.each(RECORDINGS)('of %s', (name) => {
  const held = new Held(name);
  const all = seedsOf(held);
  const isFirst = (seed: Seed): boolean => changed.get(fieldOf(seed)) === seed;
  for (const seed of all) if (!changed.has(fieldOf(seed))) changed.set(fieldOf(seed), seed);
  const seeds = name === LONG ? all.filter(isFirst) : all;

  it('nothing differs from itself', () => {
    expect(toldIn(held.against(new Map()))).toEqual([]);
  });

  it(`each of ${seeds.length} fields with another value is told, in its class and at its path, and nothing else is`, { timeout: 300_000 }, () => {
    const wrong = seeds.flatMap((seed) => {
      const told = toldIn(held.against(new Map([[seed.at, seed.changed()]])));
      const right = told.filter((difference) => classOf(seed).includes(difference.class) && isAt(seed, difference));
      const isRight = right.length > 0 && (COMES_TO_MORE.test(seed.path) || told.length === 1);
      return isRight ? [] : [`${said(seed)}: ${told.map(({ class: of, at }) => `${of} ${at}`).join('; ') || 'nothing'}`];
    });
    expect(wrong).toEqual([]);
  });

  it.each([2, 5])('%i fields at once with other values are all told, and nothing else is', { timeout: 300_000 }, (count) => {
    const plain = seeds.filter(({ path }) => !COMES_TO_MORE.test(path));
    const wrong: string[] = [];
    for (let first = 0; first < plain.length; first += count * 3) {
      // From messages far from each other, each message once.
      const chosen = plain.filter((seed, index) => (index - first) % Math.max(1, Math.floor(plain.length / count)) === 0 && plain.findIndex(({ at }) => at === seed.at) === index).slice(0, count);
      const told = toldIn(held.against(new Map(chosen.map((seed) => [seed.at, seed.changed()]))));
      const missed = chosen.filter((seed) => !told.some((difference) => classOf(seed).includes(difference.class) && isAt(seed, difference)));
      if (missed.length > 0 || told.length > chosen.length) wrong.push(`${chosen.map(said).join(' + ')}: ${told.map(({ class: of, at }) => `${of} ${at}`).join('; ')}`);
    }
    expect(wrong).toEqual([]);
  });
});

it('annotations are told as such', () => {
  const held = new Held('container-v0.32.2');
  const annotating = seedsOf(held).filter(({ owner, field }) => ANNOTATION_RULES.some((rule) => rule.message === owner && rule.field === field));
  expect(annotating.length).toBeGreaterThan(0);
  for (const seed of annotating) expect(toldIn(held.against(new Map([[seed.at, seed.changed()]]))).map(({ isAnnotation }) => isAnnotation), said(seed)).toEqual([true]);
});
