// Sections "replay" and "start": a recorded server against the live one, and how soon the first answer comes.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, timeStart, withServer } from './bridgebench.mjs';
import { figures, median, plan } from './figures.mjs';
import { times } from './forward.mjs';
import { bridgetape, replayArgs, replayer } from './middles.mjs';

/** Fewer than for forwarding: a replay answers what was recorded, once. */
const counts = { unary: 3000, calls: 20_000, solves: 5000, exec64: 100_000, exec32k: 2048 };

export const cassettes = fileURLToPath(new URL('../cassettes', import.meta.url));

/** @returns {string[]} the cassettes that ship */
export function shipped() {
  return readdirSync(cassettes)
    .filter((name) => name.endsWith('.cassette'))
    .sort()
    .map((name) => join(cassettes, name));
}

/**
 * Records a plan once.
 * @param {{ program: string }} bench
 * @param {string} folder
 * @param {readonly import('./figures.mjs').Step[]} steps
 * @param {readonly string[]} [nodeOptions]
 */
export async function recordOnce({ program }, folder, steps, nodeOptions = []) {
  const to = join(folder, 'server.sock');
  const listen = join(folder, 'middle.sock');
  return withServer(program, to, async () => {
    const recorder = await bridgetape({ listen, to, folder }, { nodeOptions });
    await load(program, listen, steps);
    const { cassette } = await recorder.end();
    if (!cassette) throw new Error('the recorder left no cassette');
    return cassette;
  });
}

/**
 * @template T
 * @param {string} parent
 * @param {(folder: string) => Promise<T>} use
 */
export async function inFolder(parent, use) {
  const folder = join(parent, 'once');
  mkdirSync(folder);
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function replay(bench) {
  const wanted = figures.filter(bench.wants);
  const steps = plan(wanted, counts, bench.scale);
  return inFolder(bench.folder, async (folder) => {
    bench.say('replay: recording');
    const { file } = await recordOnce(bench, folder, steps);
    const socket = join(folder, 'answers.sock');
    const peaks = /** @type {number[]} */ ([]);

    const live = () => withServer(bench.program, socket, () => load(bench.program, socket, steps));
    const replayed = async () => {
      const server = await replayer(file, socket);
      try {
        return await load(bench.program, socket, steps);
      } finally {
        peaks.push((await server.end()).peak);
      }
    };
    /** @type {{ live: Map<string, import('./figures.mjs').StepResult>, replayed: Map<string, import('./figures.mjs').StepResult> }[]} */
    const rounds = [];
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`replay: round ${round + 1} of ${bench.rounds}`);
      if (round % 2 === 0) {
        const first = await live();
        rounds.push({ live: first, replayed: await replayed() });
      } else {
        const first = await replayed();
        rounds.push({ replayed: first, live: await live() });
      }
    }
    /** @param {'live' | 'replayed'} side @param {import('./figures.mjs').Figure} figure */
    const values = (side, figure) =>
      rounds.map((round) => {
        const result = round[side].get(figure.step);
        return result ? figure.read(result) : NaN;
      });
    /** @param {import('./figures.mjs').Figure} figure */
    const ratio = (figure) => {
      const liveValues = values('live', figure);
      return median(values('replayed', figure).map((value, round) => value / (liveValues[round] ?? NaN)));
    };
    return {
      title: 'Replayed against live',
      method: [
        'The traffic of the section above, in smaller numbers, is recorded once. Then the same client meets, in turns, the live Go server and `bridgetape replay` of the cassette, a fresh process each round; its ids are other ones than when it was recorded. Ratio: median over the rounds; for milliseconds less than 1 is better, for the others more than 1.',
      ],
      header: ['figure', 'live Go server', 'bridgetape replay', 'ratio'],
      rows: [
        ...wanted.map((figure) => {
          const [liveValues, replayedValues] = [values('live', figure), values('replayed', figure)];
          return [
            figure.title,
            figure.format(median(liveValues)),
            figure.format(median(replayedValues)),
            times(ratio(figure)),
          ];
        }),
        ['peak memory (MB)', '', (median(peaks) / 1e6).toFixed(0), ''],
      ],
      goals: wanted.flatMap((figure) =>
        figure.replayLimit === undefined
          ? []
          : [
              {
                what: `replayed, as a ratio to live: ${figure.title}`,
                measured: ratio(figure),
                limit: figure.replayLimit,
                better: figure.better,
                format: (value) => value.toFixed(2),
              },
            ],
      ),
      data: rounds.map(({ live: l, replayed: r }) => ({ live: [...l.values()], replayed: [...r.values()] })),
    };
  });
}

const START_LIMIT_MS = 45;

/** What is asked for: buildctl of v0.8 never does. @param {string} file */
async function answersListWorkers(file) {
  // Not known before the build.
  const { Cassette } = await import(new URL('../dist/cassette/index.js', import.meta.url).href);
  const cassette = Cassette.open(file);
  try {
    return cassette.calls.some((/** @type {{ path: string }} */ { path }) => path === '/moby.buildkit.v1.Control/ListWorkers');
  } finally {
    cassette.close();
  }
}

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function start(bench) {
  const runs = bench.scale < 1 ? 3 : 21;
  return inFolder(bench.folder, async (folder) => {
    bench.say('start: recording');
    const { file } = await recordOnce(bench, folder, plan(figures.slice(0, 1), counts, 0.1));
    const socket = join(folder, 'answers.sock');
    const measured = [];
    const candidates = await Promise.all(shipped().map(async (path) => ((await answersListWorkers(path)) ? [path] : [])));
    for (const cassette of [...candidates.flat(), file]) {
      const name = cassette === file ? 'a bench run' : basename(cassette);
      bench.say(`start: ${name}`);
      const node = process.execPath;
      const { bareMs, firstMs } = await timeStart(bench.program, socket, runs, [node, '-e', '0'], [node, ...replayArgs(cassette, socket)]);
      // Each pair was taken side by side, so the difference is theirs.
      const overNothing = median(firstMs.map((first, run) => first - (bareMs[run] ?? NaN)));
      measured.push({ name, bareMs, firstMs, overNothing });
    }
    /** @param {number} value */
    const format = (value) => value.toFixed(0);
    return {
      title: 'From process start to the first replayed answer',
      method: [
        `A client waits for the socket and asks for ListWorkers, the first call of every build, as soon as somebody serves it. Time from the start of \`bridgetape replay\` to that answer, and beside it that of \`node -e 0\` from start to end; median of ${runs} pairs, and of their differences.`,
      ],
      header: ['cassette', 'first answer (ms)', 'node -e 0 (ms)', 'over nothing (ms)'],
      rows: measured.map(({ name, bareMs, firstMs, overNothing }) => [name, format(median(firstMs)), format(median(bareMs)), format(overNothing)]),
      goals: measured.map(({ name, overNothing }) => ({
        what: `first answer over nothing, ${name} (ms)`,
        measured: overNothing,
        limit: START_LIMIT_MS,
        better: 'lower',
        format,
      })),
      data: measured,
    };
  });
}
