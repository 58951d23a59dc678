/**
 * `npm run demo`: the main job end to end, on what ships. The replayer stands in for buildkitd, the recording proxy
 * stands in front of it, and the driver plays the recorded client through both; a new cassette comes out, and is
 * compared with the first.
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import pc from 'picocolors';

import { Cassette } from '../cassette/index.js';
import { drive } from '../driver/index.js';
import { BridgetapeError } from '../errors.js';
import { record } from '../recorder/index.js';
import { replay } from '../replayer/index.js';
import { parseAddress, temporaryAddress } from '../socket/index.js';
import { showCassette, surveyCassette } from '../view/index.js';
import { compare, type Comparison } from './compare.js';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const CASSETTE = join(ROOT, 'cassettes', 'dialogue-v0.32.2.cassette');
const OUTPUT = join(ROOT, 'demo.cassette');

/** What the driver plays: the bridge, and the Control calls that carry a build. */
const DRIVEN = /^\/moby\.buildkit\.v1\.(frontend\.LLBBridge\/|Control\/Solve$|Control\/Status$)/;
/** With a live daemon: its workers and its progress are never the same twice. */
const COMPARED_LIVE = /^\/moby\.buildkit\.v1\.(frontend\.LLBBridge\/(?!Ping$)|Control\/Solve$)/;

const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const here = (path: string): string => relative(process.cwd(), path);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { upstream: { type: 'string' } } });
  if (!existsSync(CASSETTE)) {
    throw new BridgetapeError('cassette-not-found', `There is no cassette at ${CASSETTE}.`, 'Run the demo in a checkout of bridgetape, or make the cassettes with: npm run cassettes');
  }
  const daemon = values.upstream === undefined ? await replay({ file: CASSETTE, pace: 1, onMiss: ({ text }) => say(text) }) : { address: values.upstream, close: () => Promise.resolve(), misses: [] };
  const front = temporaryAddress();
  rmSync(OUTPUT, { force: true });
  try {
    const recording = await record({ output: OUTPUT, listen: front.address, upstream: parseAddress(daemon.address), onUpstreamError: (error) => say(error.message) });
    say(pc.bold(`Driving the client of ${here(CASSETTE)} through a recording proxy to ${values.upstream === undefined ? 'a replay of the same cassette' : 'a live buildkitd'}.`));
    say('What its process prints, as it comes:');
    say();
    using original = Cassette.open(CASSETTE);
    const { ids } = await drive(original, {
      target: recording.address,
      pace: 1,
      onOutput: ({ data }) => process.stdout.write(data),
    });
    await recording.close();
    say();
    say();
    using copy = Cassette.open(OUTPUT);
    for (const line of showCassette(surveyCassette(copy), { width: process.stdout.columns || 80, painter: pc })) say(line);
    say();
    const live = values.upstream !== undefined;
    const reverse = new Map(Array.from(ids, ([recorded, own]) => [own, recorded]));
    const comparison = compare(original, copy, { takesPart: (path) => (live ? COMPARED_LIVE : DRIVEN).test(path), ids: reverse, live });
    return report(comparison, daemon.misses.length);
  } finally {
    front.remove();
    await daemon.close();
  }
}

function report({ calls, messages, bytes, statuses, differences }: Comparison, misses: number): number {
  say(`Compared with ${here(CASSETTE)}: ${calls} calls, ${messages} messages, ${bytes} bytes, ${statuses} statuses.`);
  for (const difference of differences) say(pc.red(`  ${difference}`));
  if (misses > 0) say(pc.red(`  ${misses} requests had no answer in the cassette`));
  const same = differences.length === 0 && misses === 0 && calls > 0;
  say(same ? pc.green(`The two recordings are the same. The new one is ${here(OUTPUT)}.`) : pc.red(`The two recordings differ. The new one is ${here(OUTPUT)}.`));
  return same ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BridgetapeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
