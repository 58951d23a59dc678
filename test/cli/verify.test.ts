import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Folder, ordinaryBuild, Tape } from '../view/tape.js';
import { bridgetape, piped } from './bridgetape.js';

let folder: Folder;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = new Folder();
  await ordinaryBuild().write(at('build.cassette'));

  const bytes = readFileSync(at('build.cassette'));
  const place = bytes.indexOf('evt') + 40;
  bytes.writeUInt8(bytes.readUInt8(place) ^ 0xff, place);
  writeFileSync(at('damaged.cassette'), bytes);

  const killed = ordinaryBuild();
  killed.bridge('Solve', 950);
  await killed.writeInterrupted(at('killed.cassette'));

  const lossy = new Tape();
  lossy.bridge('Ping', 1).server(2).status(2);
  lossy.add({ kind: 'gap', time: 3_000_000n, connection: 0, side: 'client', offset: 0, bytes: 4096, reason: 'the disk is full' });
  await lossy.write(at('lossy.cassette'));
});

afterAll(() => folder[Symbol.dispose]());

/** stdout without the folder's name. */
const said = ({ stdout }: { readonly stdout: string }): string => stdout.replaceAll(`${folder.path}/`, '');

describe('bridgetape verify', () => {
  it('says that a cassette is whole, with status 0', async () => {
    const result = await bridgetape(['verify', at('build.cassette')]);
    expect(result.status).toBe(0);
    expect(said(result)).toMatch(
      /^build\.cassette: whole\n {2}holds {5}7 calls on 1 connection, 36 events over 900 ms, in [\d.]+ KiB\n {2}left out {2}the bodies of 2 messages, 1\.9 MiB, as the recording was asked to\n$/,
    );
  });

  it('says where an interrupted cassette ends and what was open, with status 1', async () => {
    const result = await bridgetape(['verify', at('killed.cassette')]);
    expect(result.status).toBe(1);
    expect(said(result)).toMatch(/^killed\.cassette: interrupted\n/);
    expect(said(result).replaceAll(/\s+/g, ' ')).toMatch(/cut off the recorder did not close it: it is readable up to byte [\d,]+/);
    expect(said(result)).toContain('\n  open      call 8: the file does not hold its end\n');
    expect(said(result).replaceAll(/\s+/g, ' ')).toContain('to do show and replay work with what it holds. Record it again to have the rest.');
  });

  it('says where a cassette is damaged, which calls that hits and what to do, with status 1', async () => {
    const result = await bridgetape(['verify', at('damaged.cassette')]);
    expect(result.status).toBe(1);
    expect(said(result)).toMatch(/^damaged\.cassette: damaged\n/);
    expect(said(result).replaceAll(/\s+/g, ' ')).toMatch(/damage byte [\d,]+ \(\d+ B, events\): the checksum is wrong; hits calls 1, 2, 3, 4, 5, 6, 7 to do Restore the file from a copy/);
  });

  it('says what the recorder could not write, with status 1 though the file is whole', async () => {
    const result = await bridgetape(['verify', at('lossy.cassette')]);
    expect(result.status).toBe(1);
    expect(said(result)).toContain('\n  lost      4.0 KiB at 0.003 s: the disk is full\n  to do     Record it again');
  });

  it('prints one object with --json', async () => {
    const result = await bridgetape(['verify', at('damaged.cassette'), '--json']);
    expect(result.status).toBe(1);
    expect(result.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(result.stdout)).toMatchObject({
      kind: 'verdict',
      path: at('damaged.cassette'),
      state: 'damaged',
      complete: false,
      packed: true,
      damages: [{ kind: 'events', reason: 'the checksum is wrong', calls: [1, 2, 3, 4, 5, 6, 7] }],
    });
    expect(JSON.parse((await bridgetape(['verify', at('build.cassette'), '--json'])).stdout)).toMatchObject({ state: 'whole', complete: true, calls: 7, events: 36, openCalls: [], gaps: 0 });
  });

  it('keeps its status when its reader leaves', async () => {
    expect((await piped(['verify', at('damaged.cassette')], 'true')).status).toBe(1);
    expect((await piped(['verify', at('build.cassette')], 'true')).status).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('says of a file that the system does not read what the system says', async () => {
    const { status, stderr } = await bridgetape(['verify', '/proc/self/mem']);
    expect([status, stderr.split('\n')[0]]).toEqual([2, 'bridgetape: Cannot read /proc/self/mem at byte 0: EIO: i/o error, read.']);
  });

  it('refuses what is no cassette, with status 2', async () => {
    const missing = await bridgetape(['verify', at('nothing.cassette')]);
    expect(missing.status).toBe(2);
    expect(missing.stderr).toMatch(/^bridgetape: There is no cassette at .*\n.+\n$/);
    writeFileSync(at('text'), 'not a tape');
    const text = await bridgetape(['verify', at('text')]);
    expect(text.status).toBe(2);
    expect(text.stderr).toContain('is not a cassette');
  });
});
