import { describe, expect, it } from 'vitest';

import { help } from '../../src/cli/help.js';
import { recordCommand } from '../../src/cli/record.js';
import { replayCommand } from '../../src/cli/replay.js';
import { showCommand } from '../../src/cli/show.js';
import { verifyCommand } from '../../src/cli/verify.js';

const commands = [recordCommand, replayCommand, showCommand, verifyCommand].map(({ synopsis }) => synopsis);

describe('the help of a command', () => {
  it('says how it is written', () => {
    expect(commands.map((synopsis) => help(synopsis, 80)[0])).toEqual([
      'Usage: bridgetape record -o FILE [options] [-- CMD...]',
      'Usage: bridgetape replay FILE [options] [-- CMD...]',
      'Usage: bridgetape show FILE [CALL] [options]',
      'Usage: bridgetape verify FILE [options]',
    ]);
  });

  it('has options in two columns, with their values and defaults', () => {
    const lines = help(replayCommand.synopsis, 80);
    expect(lines).toContain('      --pace N          Time between messages: 0 none, 1 as recorded, 2 twice as');
    expect(lines).toContain('                        slow [default: 0]');
    expect(lines).toContain('  -h, --help            Show this help');
  });

  it.each([40, 60, 80, 200])('breaks lines between words at %d columns, but for an example', (columns) => {
    for (const synopsis of commands) {
      const lines = help(synopsis, columns);
      const examples = synopsis.examples.map(({ line }) => `  ${line}`);
      expect(examples.length).toBeGreaterThan(0);
      expect(lines).toEqual(expect.arrayContaining(examples));
      const long = lines.slice(1).filter((line) => line.length > Math.min(columns, 100) && !examples.includes(line));
      // What is longer is one word.
      for (const line of long) expect(line.trim()).not.toContain(' ');
      const words = lines.join(' ').split(/\s+/);
      for (const option of Object.keys(synopsis.options)) expect(words).toContain(`--${option}`);
    }
  });
});
