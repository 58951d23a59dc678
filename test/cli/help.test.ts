import { describe, expect, it } from 'vitest';

import { help } from '../../src/cli/help.js';
import { recordCommand } from '../../src/cli/record.js';
import { replayCommand } from '../../src/cli/replay.js';
import { showCommand } from '../../src/cli/show.js';
import { verifyCommand } from '../../src/cli/verify.js';

const commands = [recordCommand, replayCommand, showCommand, verifyCommand].map(({ synopsis }) => synopsis);

describe('the help of a command', () => {
  it('says how it is written', async () => {
    const usages = await Promise.all(commands.map(async (synopsis) => (await help(synopsis, 80)).split('\n')[0]));
    expect(usages).toEqual([
      'Usage: bridgetape record -o FILE [options] [-- CMD...]',
      'Usage: bridgetape replay FILE [options] [-- CMD...]',
      'Usage: bridgetape show FILE [CALL] [options]',
      'Usage: bridgetape verify FILE [options]',
    ]);
  });

  it('has options with their values and defaults', async () => {
    const text = (await help(replayCommand.synopsis, 100)).replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/--pace N: Time between messages: 0 none, 1 as recorded, 2 twice as slow \[default: 0\]/);
    expect(text).toMatch(/-h, --help Show this help/);
  });

  it('fits a screen', async () => {
    for (const synopsis of commands) expect((await help(synopsis, 80)).split('\n').length).toBeLessThanOrEqual(40);
  });

  it.each([40, 60, 80, 200])('names every option at %d columns', async (columns) => {
    for (const synopsis of commands) {
      const words = (await help(synopsis, columns)).split(/\s+/);
      for (const option of Object.keys(synopsis.options)) expect(words).toContain(`--${option}`);
      for (const { line } of synopsis.examples) expect(words).toEqual(expect.arrayContaining(line.split(' ')));
    }
  });
});
