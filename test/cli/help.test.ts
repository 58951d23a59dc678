import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { FAULT_TOPIC } from '../../src/cli/fault-topic.js';
import { help, topicHelp } from '../../src/cli/help.js';
import { recordCommand } from '../../src/cli/record.js';
import { replayCommand } from '../../src/cli/replay.js';
import { runtimeCommand } from '../../src/cli/runtime.js';
import { showCommand } from '../../src/cli/show.js';
import { verifyCommand } from '../../src/cli/verify.js';
import { FAULT_KINDS, POINTS } from '../../src/replayer/index.js';
import { formatFault, parseFault } from '../../src/replayer/fault-spec.js';
import { bridgetape } from './bridgetape.js';

const commands = [recordCommand, replayCommand, runtimeCommand, showCommand, verifyCommand].map(({ synopsis }) => synopsis);

describe('the help of a command', () => {
  it('says how it is written', async () => {
    const usages = await Promise.all(commands.map(async (synopsis) => (await help(synopsis, 80)).split('\n')[0]));
    expect(usages).toEqual([
      'Usage: bridgetape record -o FILE [options] [-- CMD...]',
      'Usage: bridgetape replay FILE... [options] [-- CMD...]',
      'Usage: bridgetape runtime --dir DIR [options]',
      'Usage: bridgetape show FILE [CALL] [options]',
      'Usage: bridgetape verify FILE [options]',
    ]);
  });

  it('has options with their values and defaults', async () => {
    const text = (await help(replayCommand.synopsis, 100)).replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/--stall SECONDS: How long to wait .* \[default: 10\]/);
    expect(text).toMatch(/-h, --help Show this help/);
  });

  it('fits a screen', async () => {
    for (const synopsis of commands) expect((await help(synopsis, 80)).split('\n').length).toBeLessThanOrEqual(40);
  });

  it.each([40, 60, 80, 200])('names every option at %d columns', async (columns) => {
    for (const synopsis of commands) {
      const words = (await help(synopsis, columns)).split(/\s+/);
      const ofTopics = (synopsis.topics ?? []).flatMap((topic) => topicHelp(topic, columns).split(/\s+/));
      for (const option of Object.keys(synopsis.options)) expect([...words, ...ofTopics]).toContain(`--${option}`);
      for (const { line } of synopsis.examples) expect(words).toEqual(expect.arrayContaining(line.split(' ')));
    }
  });
});

describe('the help on faults', () => {
  it.each([60, 100])('has every kind and point at %d columns', (columns) => {
    const text = topicHelp(FAULT_TOPIC, columns);
    for (const { form } of [...FAULT_KINDS, ...POINTS]) expect(text).toContain(`  ${form} `);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('has examples that are taken', () => {
    for (const example of FAULT_TOPIC.examples) expect(formatFault(parseFault(example))).toBe(example);
  });

  it('stands behind the command, and no file is mistaken for it', async () => {
    expect((await bridgetape(['replay', '--help', 'faults'])).stdout).toMatch(/^--fault METHOD\[#N\]/);
    expect((await bridgetape(['help', 'replay', 'faults'])).stdout).toMatch(/^--fault METHOD\[#N\]/);
    expect((await bridgetape(['replay', 'x.cassette', '--help'])).stdout).toMatch(/^Usage: bridgetape replay FILE/);
  });

  it('and docs/faults.md have the same kinds', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'faults.md'), 'utf8');
    for (const { form } of FAULT_KINDS) expect(page).toContain(`\n| \`${form}\` |`);
    for (const { form } of POINTS) expect(page).toContain(`\n| ${form.split(', ').map((one) => `\`${one}\``).join(', ')} |`);
  });
});

describe('bridgetape replay --fault', () => {
  const CASSETTE = join(import.meta.dirname, '..', '..', 'cassettes', 'dialogue-v0.32.2.cassette');

  it('refuses what it cannot do before anything runs', async () => {
    const { status, stdout, stderr } = await bridgetape(['replay', CASSETTE, '--fault', 'ReadFile=end', '--fault', 'ReadFiles=end', '--', 'echo', 'ran']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe('bridgetape: The fault "ReadFiles=end" names the method "ReadFiles", which neither the cassette nor bridgetape knows (character 1).\nDid you mean ReadFile? bridgetape replay --help faults lists what there is.\n');
  });

  it('that never fires fails a command that succeeds, and leaves the status of one that does not', async () => {
    const told = 'bridgetape: the fault ReadFile#2=UNAVAILABLE never fired: its method was not called\n';
    expect(await bridgetape(['replay', CASSETTE, '--fault', 'ReadFile#2=UNAVAILABLE', '--', 'true'])).toMatchObject({ status: 3, stderr: expect.stringContaining(told) as unknown });
    expect(await bridgetape(['replay', CASSETTE, '--fault', 'ReadFile#2=UNAVAILABLE', '--', 'sh', '-c', 'exit 7'])).toMatchObject({ status: 7, stderr: expect.stringContaining(told) as unknown });
  });
});
