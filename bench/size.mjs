// Section "size": a closed cassette against the plain way to write the same events down.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { count, figures, plan } from './figures.mjs';
import { ndjsonSize } from './ndjson.mjs';
import { inFolder, recordOnce, shipped } from './replay.mjs';

const LIMIT = 0.1;
const counts = { unary: 2000, calls: 20_000, solves: 2000, exec64: 50_000, exec32k: 1024 };

/** @param {string} file */
async function measure(file) {
  // Imported late: there is nothing to import before the project is built.
  const { Cassette } = await import(new URL('../dist/cassette/index.js', import.meta.url).href);
  const cassette = Cassette.open(file);
  try {
    const ndjson = ndjsonSize(cassette.events());
    return { events: ndjson.events, bytes: statSync(file).size, ndjson: ndjson.bytes };
  } finally {
    cassette.close();
  }
}

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function size(bench) {
  const measured = [];
  for (const file of shipped()) measured.push({ name: basename(file), goal: true, ...(await measure(file)) });
  await inFolder(bench.folder, async (folder) => {
    bench.say('size: recording');
    const { file } = await recordOnce(bench, folder, plan(figures, counts, bench.scale));
    measured.push({ name: 'a bench run', goal: false, ...(await measure(file)) });
  });
  /** @param {number} value */
  const percent = (value) => `${(value * 100).toFixed(1)} %`;
  return {
    title: 'A closed cassette’s size',
    method: [
      'Against the same events as NDJSON: one line of JSON an event, payloads in base64, header values as text. Bodies that the cassette leaves out are in neither. The bench run is much unlike a build: its messages are all different on purpose.',
    ],
    header: ['cassette', 'events', 'bytes', 'as NDJSON', 'of it'],
    rows: measured.map(({ name, events, bytes, ndjson }) => [name, count(events), count(bytes), count(ndjson), percent(bytes / ndjson)]),
    goals: measured
      .filter(({ goal }) => goal)
      .map(({ name, bytes, ndjson }) => ({
        what: `size against NDJSON, ${name}`,
        measured: bytes / ndjson,
        limit: LIMIT,
        better: 'lower',
        format: percent,
      })),
    data: measured,
  };
}
