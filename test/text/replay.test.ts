import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cassette, drive, pack, replay, unpack } from '../../src/index.js';
import { Folder } from '../cassette/recording.js';

const original = join(import.meta.dirname, '..', '..', 'cassettes', 'dialogue-v0.32.2.cassette');

/** What the processes of the recorded client print, served from a cassette. */
async function played(file: string): Promise<string> {
  const replaying = await replay({ file });
  using cassette = Cassette.open(original);
  let output = '';
  await drive(cassette, {
    target: replaying.address.replace('unix://', 'unix:'),
    onOutput: ({ data }) => {
      output += Buffer.from(data).toString();
    },
  });
  const { misses } = replaying;
  await replaying.close();
  expect(misses).toEqual([]);
  return output;
}

describe('a cassette that was unpacked, changed and packed', { timeout: 120_000 }, () => {
  it('replays as changed', async () => {
    using folder = new Folder();
    const text = join(folder.path, 'a.yaml');
    unpack(original, text);
    writeFileSync(text, readFileSync(text, 'utf8').replace('Data: "tick 1\\r\\n"', 'Data: "a longer tock\\r\\n"'));
    await pack(text, folder.file);
    const [before, after] = [await played(original), await played(folder.file)];
    expect(before).toContain('tick 1\r\n');
    expect(after).toBe(before.replace('tick 1\r\n', 'a longer tock\r\n'));
  });
});
