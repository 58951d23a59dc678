// Section "forward": the same traffic directly, through proxies that only forward, and through the recorder.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { load, withServer } from './bridgebench.mjs';
import { figures, median, plan } from './figures.mjs';
import { middles } from './middles.mjs';

/** Calls or messages of each step: about a second's worth, so that a round has settled. */
const counts = { unary: 5000, calls: 60_000, solves: 20_000, exec64: 200_000, exec32k: 16_384 };

/**
 * @typedef {object} Bench what every section is given
 * @property {string} folder temp folder
 * @property {string} program bridgebench
 * @property {number} rounds
 * @property {number} scale
 * @property {(figure: import('./figures.mjs').Figure) => boolean} wants
 * @property {readonly string[]} middles names
 * @property {(text: string) => void} say progress
 */

/**
 * @typedef {object} Section
 * @property {string} title
 * @property {readonly string[]} method paragraphs
 * @property {readonly string[]} header
 * @property {readonly (readonly string[])[]} rows
 * @property {readonly import('./figures.mjs').Goal[]} goals
 * @property {unknown} data all that was measured
 */

/** @typedef {{ peak: number, cassette?: import('./middles.mjs').Recorded, results: Map<string, import('./figures.mjs').StepResult> }} Round */

/** @param {Bench} bench @returns {Promise<Section>} */
export async function forward(bench) {
  const wanted = figures.filter(bench.wants);
  const steps = plan(wanted, counts, bench.scale);
  const standing = middles.filter(({ name }) => bench.middles.includes(name));
  /** @type {Map<string, Round[]>} */
  const rounds = new Map(standing.map(({ name }) => [name, []]));

  for (let round = 0; round < bench.rounds; round++) {
    // Another order each round: nobody always runs first, on a cool machine, or last.
    const turn = round % standing.length;
    for (const middle of [...standing.slice(turn), ...standing.slice(0, turn)]) {
      bench.say(`forward: round ${round + 1} of ${bench.rounds}, ${middle.title}`);
      rounds.get(middle.name)?.push(await oneRound(bench, middle, steps));
    }
  }
  return describe(wanted, standing, rounds);
}

/**
 * @param {Bench} bench
 * @param {import('./middles.mjs').Middle} middle
 * @param {readonly import('./figures.mjs').Step[]} steps
 * @returns {Promise<Round>}
 */
async function oneRound({ folder: parent, program }, middle, steps) {
  const folder = join(parent, 'forward');
  mkdirSync(folder);
  try {
    const to = join(folder, 'server.sock');
    const listen = join(folder, 'middle.sock');
    return await withServer(program, to, async () => {
      const stands = await middle.start({ listen, to, folder });
      if (!stands) return { peak: 0, results: await load(program, to, steps) };
      let peak = 0;
      const results = await load(program, listen, steps, () => {
        peak = stands.peak();
      });
      const end = await stands.end();
      return { ...end, peak: Math.max(peak, end.peak), results };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {readonly import('./figures.mjs').Figure[]} wanted
 * @param {readonly import('./middles.mjs').Middle[]} standing
 * @param {Map<string, Round[]>} rounds
 * @returns {Section}
 */
function describe(wanted, standing, rounds) {
  /** @param {string} middle @param {import('./figures.mjs').Figure} figure */
  const values = (middle, figure) =>
    (rounds.get(middle) ?? []).map(({ results }) => {
      const result = results.get(figure.step);
      return result ? figure.read(result) : NaN;
    });
  /** @param {string} middle @param {string} other @param {import('./figures.mjs').Figure} figure */
  const ratio = (middle, other, figure) => {
    const theirs = values(other, figure);
    return median(values(middle, figure).map((value, round) => value / (theirs[round] ?? NaN)));
  };

  const rows = wanted.flatMap((figure) =>
    standing.map(({ name, title }, index) => {
      const own = values(name, figure);
      return [
        index === 0 ? figure.title : '',
        title,
        figure.format(median(own)),
        `${figure.format(Math.min(...own))} – ${figure.format(Math.max(...own))}`,
        times(ratio(name, 'direct', figure)),
        times(ratio(name, 'socat', figure)),
      ];
    }),
  );
  const peaks = standing
    .filter(({ name }) => name !== 'direct')
    .map(({ name, title }, index) => {
      const own = (rounds.get(name) ?? []).map(({ peak }) => peak / 1e6);
      return [
        index === 0 ? 'peak memory (MB)' : '',
        title,
        median(own).toFixed(0),
        `${Math.min(...own).toFixed(0)} – ${Math.max(...own).toFixed(0)}`,
        '',
        times(median(own) / median((rounds.get('socat') ?? []).map(({ peak }) => peak / 1e6))),
      ];
    });

  const compared = rounds.has('bridgetape') && rounds.has('socat') ? wanted.filter(({ goal }) => goal) : [];
  const goals = compared.map((figure) => ({
    what: `recording against socat, ${figure.title}`,
    measured: ratio('bridgetape', 'socat', figure),
    limit: 1,
    better: figure.better,
    format: times,
  }));
  return {
    title: 'In the middle of live traffic',
    method: [
      'A Go gRPC client and a Go gRPC server speak LLBBridge over unix sockets: one build’s calls on one connection, with the ids and the order that BuildKit’s own client has. In each round every candidate gets a fresh server, a fresh process and the same plan: ReadFile of 256 bytes one after the other; ReadFile, then Solve with a ten-op definition, from 32 callers at once; and, on one ExecProcess stream, three processes in turn with 200,000 messages of 64 bytes of output each, and one with 16,384 messages of 32 KiB. No two requests and no two messages are equal, and output reads like a build log. The order of the candidates rotates from round to round.',
      'The figure is the median of the rounds, beside it the lowest and the highest. The ratios are medians of the ratios within each round: “to nothing” and “to socat” divide this line by the client and server connected directly, and by socat with the buffer that suits it best (the goal is set against that one; with its default of 8 KiB socat is slower on large messages). For milliseconds less than 1 is better, for the others more than 1.',
      'socat, haproxy and node sockets only forward. bridgetape writes a cassette to disk meanwhile, and a round counts only when `bridgetape verify` finds that cassette whole. Memory is the peak resident size from start to end, closing the cassette included; for socat that of its two processes together.',
    ],
    header: ['figure', 'in the middle', 'median', 'lowest – highest', 'to nothing', 'to socat'],
    rows: [...rows, ...peaks],
    goals,
    data: Object.fromEntries(
      [...rounds].map(([name, own]) => [name, own.map((round) => ({ ...round, results: [...round.results.values()] }))]),
    ),
  };
}

/** @param {number} value */
export const times = (value) => (Number.isNaN(value) ? '–' : value.toFixed(2));
