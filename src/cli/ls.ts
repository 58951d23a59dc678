import { statSync } from 'node:fs';

import { Cassette, findCassettes } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { listingJson, showListing, surveyCassette, type Listed } from '../view/index.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { print } from './output.js';
import { EXIT } from './terminal.js';

export const lsCommand = defineCommand(
  {
    name: 'ls',
    about: 'Lists cassettes, a line each: when they were recorded, of which BuildKit, what was built, and how many calls, how long and how large.',
    operands: { path: { required: true, many: true, about: 'Cassettes, and folders: those mean every *.cassette in them and below' } },
    options: { json: { kind: 'flag', about: 'For programs: an object per cassette' } },
    runsCommand: false,
    examples: [{ line: 'bridgetape ls testdata/' }, { line: "bridgetape ls . --json | jq -r 'select(.kind == \"unreadable\").path'", about: 'what cannot be read' }],
    notes: [
      'BUILD is the frontend that ran or was asked for; "a client" builds by itself, through calls of LLBBridge. BUILDKIT is "?" for one that does not say its version.',
      'JSON: an object with kind "cassette", as show has it, with path and bytes; or one with kind "unreadable", path, code and reason.',
      'Exit status: 0; 1 when one cannot be read, which its line says; 2 when there is nothing to list.',
    ],
  },
  async ({ path, json }) => {
    const listed = findCassettes(path).map(look);
    const lines = json ? listingJson(listed) : showListing(listed, colorsFor(process.stdout));
    return await print(lines, listed.every((entry) => 'survey' in entry) ? EXIT.ok : EXIT.notWhole);
  },
);

function look(path: string): Listed {
  try {
    using cassette = Cassette.open(path);
    return { path, bytes: statSync(path).size, survey: surveyCassette(cassette) };
  } catch (error) {
    if (error instanceof BridgetapeError) return { path, code: error.code, reason: error.what };
    throw error;
  }
}
