/** The demo's way, for every cassette that ships: driver → recorder → replayer, and the new recording equals the old one. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Cassette, verify } from '../../src/cassette/index.js';
import { compare } from '../../src/demo/compare.js';
import { drive } from '../../src/driver/index.js';
import { record } from '../../src/recorder/index.js';
import { replay } from '../../src/replayer/index.js';

const CASSETTES = join(import.meta.dirname, '..', '..', 'cassettes');
const DRIVEN = /^\/moby\.buildkit\.v1\.(frontend\.LLBBridge\/|Control\/Solve$|Control\/Status$)/;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const shipped = readdirSync(CASSETTES).filter((name) => name.endsWith('.cassette'));

/** What is driven here is a client of the daemon's socket; a container frontend's run has none. */
const ofSockets = shipped.filter((name) => {
  using cassette = Cassette.open(join(CASSETTES, name));
  return cassette.header.frontend === undefined;
});

describe('a cassette that ships', () => {
  it('is there at all', () => expect(shipped.length).toBeGreaterThan(3));

  it.each(shipped)('is whole, and small: %s', (name) => {
    const report = verify(join(CASSETTES, name));
    expect(report.state).toBe('whole');
    expect(report.damages).toEqual([]);
    expect(report.bytes).toBeLessThan(200_000);
  });

  it.each(ofSockets)('comes out of a replay of itself, message by message: %s', async (name) => {
    const file = join(CASSETTES, name);
    const output = join(folder, 'copy.cassette');
    const replaying = await replay({ file, listen: { kind: 'unix', path: join(folder, 'back.sock') } });
    const recording = await record({ output, listen: { kind: 'unix', path: join(folder, 'front.sock') }, upstream: { kind: 'unix', path: join(folder, 'back.sock') } });
    using original = Cassette.open(file);
    const { ids } = await drive(original, { target: recording.address.replace('unix://', 'unix:') });
    await recording.close();
    await replaying.close();
    using copy = Cassette.open(output);
    const reverse = new Map(Array.from(ids, ([recorded, own]) => [own, recorded]));
    const comparison = compare(original, copy, { takesPart: (path) => DRIVEN.test(path), ids: reverse, live: false });
    expect(replaying.misses).toEqual([]);
    expect(comparison.differences).toEqual([]);
    expect(comparison.calls).toBeGreaterThan(1);
  });

  it.each(['container-v0.8.3.cassette', 'container-v0.32.2.cassette'])("has what a frontend's run takes, and its whole conversation: %s", (name) => {
    using cassette = Cassette.open(join(CASSETTES, name));
    const { frontend } = cassette.header;
    expect(frontend).toMatchObject({ arguments: ['/bin/dockerfile-frontend'], directory: '/', exit: { status: 0 } });
    expect(frontend?.environment.map((entry) => entry.replace(/^(BUILDKIT_FRONTEND_OPT_)\d+/, '$1'))).toContain('BUILDKIT_FRONTEND_OPT_=build-arg:WHO=you');
    expect(cassette.calls[0]?.path).toMatch(/LLBBridge\/Ping$/);
    expect(cassette.calls.at(-1)).toMatchObject({ path: '/moby.buildkit.v1.frontend.LLBBridge/Return', outcome: { kind: 'status', code: 0 } });
  });

  it('differs from another one, and the comparison says where', () => {
    using one = Cassette.open(join(CASSETTES, 'dialogue-v0.32.2.cassette'));
    using other = Cassette.open(join(CASSETTES, 'dockerfile-v0.32.2.cassette'));
    const { differences } = compare(one, other, { takesPart: (path) => DRIVEN.test(path), ids: new Map(), live: false });
    expect(differences.join('\n')).toMatch(/ExecProcess: 1 calls, then 0/);
  });
});
