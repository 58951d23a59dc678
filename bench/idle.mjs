// Section "idle": what streams cost a replayer on which nothing happens.
import { join } from 'node:path';
import { load } from './bridgebench.mjs';
import { count, figures, plan } from './figures.mjs';
import { replayer } from './middles.mjs';
import { inFolder, recordOnce } from './replay.mjs';

const STREAMS = 10_000;
const LIMIT_MB = 100;
/** As few as there can be: the memory is to be that of the streams. */
const CALLS = { unary: 10, calls: 0, solves: 0, exec64: 0, exec32k: 0 };

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function idle(bench) {
  const streams = Math.round(STREAMS * bench.scale);
  return inFolder(bench.folder, async (folder) => {
    bench.say('idle: recording');
    const steps = plan(figures.slice(0, 1), CALLS, 1);
    const { file } = await recordOnce(bench, folder, steps);
    const socket = join(folder, 'answers.sock');
    bench.say(`idle: ${count(streams)} streams`);
    const server = await replayer(file, socket);
    const before = server.peak();
    let open = 0;
    const opening = load(bench.program, socket, [...steps, { name: 'idle', method: 'Idle', calls: streams }], () => {
      open = server.peak();
    });
    const results = await opening.finally(() => server.end());
    const perSecond = results.get('idle')?.perSecond ?? NaN;
    /** @param {number} bytes */
    const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
    return {
      title: `${count(streams)} idle streams`,
      method: [
        'A client opens so many streams on one connection to a replayer and says nothing on them. Peak resident size of the replayer, before the client comes and while all of them are open.',
      ],
      header: ['streams', 'before (MB)', 'open (MB)', 'bytes a stream', 'opened (streams/s)'],
      rows: [[count(streams), megabytes(before), megabytes(open), count((open - before) / streams), count(perSecond)]],
      goals: [{ what: `peak memory with ${count(streams)} idle streams (MB)`, measured: open / 1e6, limit: LIMIT_MB, better: 'lower', format: (value) => value.toFixed(0) }],
      data: { before, open, perSecond },
    };
  });
}
