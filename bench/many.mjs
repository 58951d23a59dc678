// Section "many": a replay of a hundred thousand short calls.
import { join } from 'node:path';
import { load, withServer } from './bridgebench.mjs';
import { count, median } from './figures.mjs';
import { times } from './forward.mjs';
import { replayer } from './middles.mjs';
import { inFolder, recordOnce } from './replay.mjs';

const CALLS = 100_000;
const LIMIT_MB = 200;

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function many(bench) {
  const calls = Math.round(CALLS * bench.scale);
  const steps = /** @type {const} */ ([{ name: 'many', method: 'ReadFile', callers: 32, calls, warmup: 0, size: 256 }]);
  return inFolder(bench.folder, async (folder) => {
    bench.say('many: recording');
    const { file } = await recordOnce(bench, folder, steps);
    const socket = join(folder, 'answers.sock');
    const perSecond = async () => (await load(bench.program, socket, steps)).get('many')?.perSecond ?? NaN;
    const replayed = async () => {
      const server = await replayer(file, socket);
      const loaded = server.peak();
      try {
        return { perSecond: await perSecond(), loaded, peak: server.peak() };
      } finally {
        await server.end();
      }
    };
    const rounds = [];
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`many: round ${round + 1} of ${bench.rounds}`);
      rounds.push({ live: await withServer(bench.program, socket, perSecond), replayed: await replayed() });
    }
    const peak = median(rounds.map((round) => round.replayed.peak));
    /** @param {number} bytes */
    const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
    return {
      title: `A replay of ${count(calls)} calls`,
      method: [
        'Each is a ReadFile of 256 bytes, none like another; 32 callers make them at once, to the live Go server and to a replayer. Peak resident size of the replayer, when it has read the cassette and when it has answered all of it. Medians, of the ratios in each round too.',
      ],
      header: ['calls', 'live (calls/s)', 'replayed (calls/s)', 'ratio', 'read (MB)', 'answered (MB)'],
      rows: [
        [
          count(calls),
          count(median(rounds.map(({ live }) => live))),
          count(median(rounds.map((round) => round.replayed.perSecond))),
          times(median(rounds.map(({ live, replayed: { perSecond: rate } }) => rate / live))),
          megabytes(median(rounds.map((round) => round.replayed.loaded))),
          megabytes(peak),
        ],
      ],
      goals: [{ what: `peak memory of a replay of ${count(calls)} calls (MB)`, measured: peak / 1e6, limit: LIMIT_MB, better: 'lower', format: (value) => value.toFixed(0) }],
      data: rounds,
    };
  });
}
