/** Which ids of a recorded client the driver leaves as they are, and which it takes for those of the server that it meets. */
import { describe, expect, it } from 'vitest';
import { Cassette } from '../../src/cassette/index.js';
import type { RecordedCall } from '../../src/replayer/recorded-call.js';
import { bridge, encode, FRONTEND } from '../bridge/build.js';
import { Folder, FRONTEND_RUN, writeCassette } from '../frontend/tape.js';
import { readFile, Tape } from '../replayer/tape.js';
import { driveFrontend } from './drive-frontend.js';

const ID = 'k1v6o2n0t9q8w7e6r5u4i3o2p';
const OTHER = 'b7n3m9z1x5c2v8l4k6j0h1g2f';

/** Reads files, each with its content. */
function reads(files: readonly (readonly [path: string, content: string])[]): readonly RecordedCall[] {
  const tape = new Tape();
  return files.map(([path, content]) => tape.call(bridge('ReadFile')).sends(readFile(path)).closes().headed().answers(encode(`${FRONTEND}.ReadFileResponse`, { Data: Buffer.from(content) })).ends());
}

/** What was asked for that the server's cassette does not hold, when the client of another one is driven against it. */
async function missed(server: readonly RecordedCall[], client: readonly RecordedCall[]): Promise<string> {
  using served = new Folder();
  using driven = new Folder();
  await writeCassette(served.cassette, server, FRONTEND_RUN);
  await writeCassette(driven.cassette, client, FRONTEND_RUN);
  using cassette = Cassette.open(served.cassette);
  using other = Cassette.open(driven.cassette);
  return (await driveFrontend(cassette, other)).misses.map(({ text }) => text).join('\n');
}

describe('an id that stands where a server has another', () => {
  it('is taken for that, when the recorded server was the first to say it', async () => {
    const told = await missed(reads([['a', `id ${OTHER}`], ['last', '']]), reads([['a', `id ${ID}`], [`of ${ID}`, '']]));
    expect(told).toContain(`got "of ${OTHER}"`);
  });

  it('stays, when the recorded client had it before: what it says of it is not the server’s to change', async () => {
    const told = await missed(reads([['a', `id ${OTHER}`], ['last', '']]), reads([[`my ${ID}`, ''], ['a', `id ${ID}`], [`of ${ID}`, '']]));
    expect(told).toContain(`got "of ${ID}"`);
  });
});
