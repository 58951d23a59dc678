// Section "memory": 2 GiB of process output at full speed through one recorder.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { load, withServer } from './bridgebench.mjs';
import { count } from './figures.mjs';
import { bridgetape } from './middles.mjs';

const MESSAGE = 32 * 1024;
const MESSAGES = 65_536;
const LIMIT_MB = 150;

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function memory(bench) {
  const measured = [];
  const traffic = `${((MESSAGES * MESSAGE * bench.scale) / 1024 ** 3).toFixed(1)} GiB`;
  for (const fill of /** @type {const} */ (['text', 'random'])) {
    bench.say(`memory: ${fill} output`);
    measured.push({ fill, ...(await cross(bench, fill)) });
  }
  return {
    title: `Memory while ${traffic} cross`,
    method: [
      `One process on an ExecProcess stream writes ${count(MESSAGES)} messages of 32 KiB as fast as they are taken, once text like a build log, once random bytes, which no compression makes smaller. Peak resident size of the recorder, from start to end; “at the end of traffic” is the same before the cassette is closed. Closing is the time from SIGTERM to the end of the process.`,
    ],
    header: ['output', 'peak (MB)', 'at the end of traffic', 'speed (MiB/s)', 'cassette (MB)', 'closing (s)'],
    rows: measured.map(({ fill, peak, peakInTraffic, mibPerSecond, bytes, closingMs }) => [
      fill,
      (peak / 1e6).toFixed(0),
      (peakInTraffic / 1e6).toFixed(0),
      count(mibPerSecond),
      count(bytes / 1e6),
      (closingMs / 1e3).toFixed(2),
    ]),
    goals: measured.map(({ fill, peak }) => ({
      what: `peak memory while ${traffic} of ${fill} cross (MB)`,
      measured: peak / 1e6,
      limit: LIMIT_MB,
      better: 'lower',
      format: (value) => value.toFixed(0),
    })),
    data: measured,
  };
}

/** @param {import('./forward.mjs').Bench} bench @param {'text' | 'random'} fill */
async function cross({ folder: parent, program, scale }, fill) {
  const folder = join(parent, 'memory');
  mkdirSync(folder);
  const to = join(folder, 'server.sock');
  const listen = join(folder, 'middle.sock');
  const messages = Math.round(MESSAGES * scale);
  try {
    return await withServer(program, to, async () => {
      const recorder = await bridgetape({ listen, to, folder });
      let peakInTraffic = 0;
      const results = await load(program, listen, [{ name: 'cross', method: 'ExecProcess', messages, size: MESSAGE, fill }], () => {
        peakInTraffic = recorder.peak();
      });
      const { peak, cassette } = await recorder.end();
      return {
        peak,
        peakInTraffic,
        mibPerSecond: results.get('cross')?.mibPerSecond ?? NaN,
        bytes: cassette?.bytes ?? NaN,
        closingMs: cassette?.closingMs ?? NaN,
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
