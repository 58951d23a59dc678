import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ignoreRule } from '../../src/cli/rules.js';
import { encode, FRONTEND } from '../bridge/build.js';
import { exec, Folder, Tape } from '../view/tape.js';
import { bridgetape, piped, type Ran } from './bridgetape.js';

let folder: Folder;
const at = (name: string): string => join(folder.path, name);

/** A build that reads a file and runs a command. */
function recording({ who = 'you', output = 'one\ntwo\n', exit = 0 } = {}): Tape {
  const tape = new Tape();
  tape.solve(1).server(890).status(891);
  tape.bridge('Solve', 10, encode(`${FRONTEND}.SolveRequest`, { Frontend: 'dockerfile.v0', FrontendOpt: { target: 'app', 'build-arg:WHO': who } })).server(20, encode(`${FRONTEND}.SolveResponse`, { ref: 'r1' })).status(21);
  tape
    .call('/moby.buildkit.v1.frontend.LLBBridge/ExecProcess', 30, { 'buildkit-controlapi-buildid': 'r'.repeat(25) })
    .client(30, exec({ Init: { ContainerID: 'c1', Meta: { args: ['make'] }, Fds: [1] } }))
    .server(40, exec({ Started: {} }))
    .server(50, exec({ File: { Fd: 1, Data: Buffer.from(output) } }))
    .server(60, exec({ Exit: { Code: exit } }))
    .server(61, exec({ Done: {} }))
    .reset(62);
  tape.bridge('Return', 880).server(882).status(882);
  return tape;
}

beforeAll(async () => {
  folder = new Folder();
  mkdirSync(at('.git'));
  await recording().write(at('old.cassette'));
  await recording().write(at('same.cassette'));
  await recording({ who: 'me', output: 'one\n\u001b[31mthree\n', exit: 2 }).write(at('new.cassette'));
  const killed = recording();
  killed.bridge('Solve', 950);
  await killed.writeInterrupted(at('killed.cassette'));
  const bytes = readFileSync(at('old.cassette'));
  const place = bytes.indexOf('evt') + 40;
  bytes.writeUInt8(bytes.readUInt8(place) ^ 0xff, place);
  writeFileSync(at('damaged.cassette'), bytes);
  writeFileSync(at('text'), 'not a tape');
});
afterAll(() => folder[Symbol.dispose]());

const diff = (...args: readonly string[]): Promise<Ran> => bridgetape(['diff', ...args], { cwd: folder.path });

describe('bridgetape diff', () => {
  it('says that recordings are the same, with status 0', async () => {
    expect(await diff('old.cassette', 'same.cassette')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^same: 1 build, \d calls, \d+ messages compared\n$/) as unknown });
  });

  it('tells what differs, with status 1, and lets nothing recorded act on the terminal', async () => {
    const { status, stdout, stderr } = await diff('old.cassette', 'new.cassette');
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toMatch(/^--- old\.cassette .*\n\+\+\+ new\.cassette /);
    expect(stdout).toContain('~ FrontendOpt["build-arg:WHO"]  "you" → "me"\n');
    expect(stdout).toMatch(/\n +one\n +-two\n +\+\\u001b\[31mthree\n/);
    expect(stdout).toMatch(/\n\d+ differences: requests 1, .*exec \d/);
  });

  it('compares the classes that were asked for', async () => {
    const stat = async (...args: readonly string[]): Promise<readonly string[]> => (await diff('old.cassette', 'new.cassette', '--stat', ...args)).stdout.trimEnd().split('\n').map((line) => line.replace(/ .*/, ''));
    expect(await stat()).toEqual(['requests', 'responses', 'errors', 'exec', 'environment', 'order']);
    expect(await stat('--only', 'requests, exec', '--only', 'errors')).toEqual(['requests', 'errors', 'exec']);
    expect(await stat('--without', 'requests,order', '--time', '0.5')).toEqual(['responses', 'errors', 'exec', 'environment', 'time']);
    expect((await diff('old.cassette', 'new.cassette', '--only', 'errors,order')).status).toBe(0);
  });

  it('ignores what it is told to ignore, on the command line and in bridgetape.yaml', async () => {
    const requests = ['old.cassette', 'new.cassette', '--only', 'requests'];
    expect((await diff(...requests)).status).toBe(1);
    expect((await diff(...requests, '--ignore', 'option:build-arg:WHO')).status).toBe(0);
    writeFileSync(at('rules.yaml'), 'rules:\n  ignore:\n    - option: build-arg:*\n');
    expect((await diff(...requests, '--config', 'rules.yaml')).status).toBe(0);
    expect((await diff(...requests, '--config', 'rules.yaml', '--ignore', 'env:NOTHING')).status).toBe(0);
  });

  it('prints one object, a comment, or a test report', async () => {
    const json = await diff('old.cassette', 'new.cassette', '--json');
    expect([json.status, JSON.parse(json.stdout)]).toMatchObject([1, { format: 'bridgetape-diff', version: 1, verdict: 'different' }]);
    expect(await diff('old.cassette', 'same.cassette', '--json')).toMatchObject({ status: 0, stdout: expect.stringContaining('"verdict": "same"') as unknown });
    expect(await diff('old.cassette', 'new.cassette', '--markdown')).toMatchObject({ status: 1, stdout: expect.stringMatching(/^### bridgetape diff: different\n/) as unknown });
    expect(await diff('old.cassette', 'new.cassette', '--junit')).toMatchObject({ status: 1, stdout: expect.stringMatching(/^<\?xml .*<\/testsuites>\n$/s) as unknown });
  });

  it('compares an interrupted cassette as far as it goes, and says so', async () => {
    const { status, stdout } = await diff('old.cassette', 'killed.cassette');
    expect(status).toBe(1);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('note The second recording is interrupted');
  });

  it('keeps its status when its reader leaves', async () => {
    expect((await piped(['diff', at('old.cassette'), at('new.cassette')], 'true')).status).toBe(1);
  });

  it.each([
    ['no second cassette', ['old.cassette'], /^bridgetape: diff needs B\.\n/],
    ['a cassette that is not there', ['old.cassette', 'nothing'], /^bridgetape: There is no cassette at nothing\.\n/],
    ['what is no cassette', ['text', 'old.cassette'], /^bridgetape: text is not a cassette/],
    ['a folder', ['old.cassette', '.'], /^bridgetape: \. is not a regular file\.\n/],
    ['a damaged cassette', ['old.cassette', 'damaged.cassette'], /^bridgetape: damaged\.cassette is damaged, .*\nbridgetape verify damaged\.cassette says where\./],
    ['two outputs', ['old.cassette', 'new.cassette', '--json', '--markdown'], /^bridgetape: --json and --markdown are two outputs/],
    ['all of what has no end', ['old.cassette', 'new.cassette', '--json', '--full'], /^bridgetape: --full does not go with --json\.\n/],
    ['an unknown class', ['old.cassette', 'new.cassette', '--only', 'request'], /^bridgetape: --only got "request", which is no class of differences\.\nThe classes are requests, responses, /],
    ['no class at all', ['old.cassette', 'new.cassette', '--only', 'exec', '--without', 'exec'], /^bridgetape: With these --only and --without nothing is left/],
    ['a time that is none', ['old.cassette', 'new.cassette', '--time', 'soon'], /^bridgetape: --time got "soon", which is no number/],
    ['a bad rule', ['old.cassette', 'new.cassette', '--ignore', 'variable:X'], /^bridgetape: --ignore got "variable:X": "variable" is none of attribute, option, env, field, path\.\n/],
    ['settings that are wrong', ['old.cassette', 'new.cassette', '--config', 'text'], /^bridgetape: text:1: .*\ndocs\/rules\.md/],
  ])('refuses %s, with status 2', async (_what, args, message) => {
    const { status, stdout, stderr } = await diff(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^bridgetape: .+\n.+\n$/);
  });
});

describe('a rule behind --ignore', () => {
  it('names a place as bridgetape.yaml does', () => {
    expect(ignoreRule('option:build-arg:A')).toEqual({ effect: 'ignore', place: { kind: 'option', name: 'build-arg:A' } });
    expect(ignoreRule('env:BUILD_*')).toEqual({ effect: 'ignore', place: { kind: 'env', name: 'BUILD_*' } });
    expect(ignoreRule('attribute:git.fullurl')).toEqual({ effect: 'ignore', place: { kind: 'attribute', name: 'git.fullurl' } });
    expect(ignoreRule('field:pb.Meta.hostname')).toEqual({ effect: 'ignore', place: { kind: 'field', message: 'pb.Meta', field: 'hostname' } });
    expect(ignoreRule('path:Definition.op[*].exec')).toEqual({ effect: 'ignore', place: { kind: 'path', path: 'Definition.op[*].exec' } });
  });

  it.each([
    ['X', /--ignore got "X": before a colon has to stand one of/],
    ['env:', /nothing stands behind env:/],
    ['field:pb.Meta.nothing', /pb\.Meta has no field nothing; it has args, env/],
    ['field:hostname', /proto\/ has no message/],
  ])('is refused as %s, with what is wrong', (text, message) => {
    expect(() => ignoreRule(text)).toThrow(message);
  });
});
