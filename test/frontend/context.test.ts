import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cassette } from '../../src/cassette/index.js';
import { filesRead, placeFiles } from '../../src/frontend/context.js';
import { readFile, Tape } from '../replayer/tape.js';
import { Folder, writeCassette } from './tape.js';

const READ = ['Dockerfile', '.dockerignore', 'docker/other'];
const text = (files: ReturnType<typeof placeFiles>): Readonly<Record<string, string>> => Object.fromEntries(Array.from(files, ([name, data]) => [name, Buffer.from(data).toString()]));

describe('the files that a recorded frontend read', () => {
  it('are named in their order, each once, found or not', async () => {
    using folder = new Folder();
    const tape = new Tape();
    const calls = ['Dockerfile', '/Dockerfile', '.dockerignore'].map((name) => tape.unary('ReadFile', readFile(name), new Uint8Array()));
    await writeCassette(folder.cassette, calls);
    using cassette = Cassette.open(folder.cassette);
    expect(filesRead(cassette)).toEqual(['Dockerfile', '.dockerignore']);
  });
});

describe("a user's files in place of those", () => {
  it('are all that are in the folder, or those that are named', () => {
    using folder = new Folder();
    mkdirSync(join(folder.path, 'docker'));
    writeFileSync(join(folder.path, 'Dockerfile'), 'FROM x');
    writeFileSync(join(folder.path, 'docker', 'other'), 'FROM y');
    writeFileSync(join(folder.path, 'unread'), 'z');
    expect(text(placeFiles(folder.path, [], READ))).toEqual({ Dockerfile: 'FROM x', 'docker/other': 'FROM y' });
    expect(text(placeFiles(folder.path, ['docker/other'], READ))).toEqual({ 'docker/other': 'FROM y' });
  });

  it('lie in the folder, wherever a name from a cassette points', () => {
    using folder = new Folder();
    const inner = join(folder.path, 'inner');
    mkdirSync(inner);
    writeFileSync(join(folder.path, 'secret'), 'not for a frontend');
    symlinkSync('../secret', join(inner, 'link'));
    symlinkSync('Dockerfile', join(inner, 'alias'));
    writeFileSync(join(inner, 'Dockerfile'), 'FROM x');
    const names = ['../secret', join(folder.path, 'secret'), 'link', 'alias', 'Dockerfile/below'];
    expect(text(placeFiles(inner, [], names))).toEqual({ alias: 'FROM x' });
  });

  it('are refused in words when they are not there, were not read, are too large, or are no files', () => {
    using folder = new Folder();
    expect(() => placeFiles(folder.path, [], READ)).toThrow(/has none of the files that the recorded frontend read\.\nIt read Dockerfile, \.dockerignore, docker\/other\./);
    expect(() => placeFiles(folder.path, ['Dockerfile'], READ)).toThrow(/There is no file Dockerfile in/);
    expect(() => placeFiles(folder.path, ['x'], READ)).toThrow(/read no file x\.\nIt read Dockerfile/);
    expect(() => placeFiles(folder.path, ['x'], [])).toThrow(/It read no files\./);
    mkdirSync(join(folder.path, '.dockerignore'));
    expect(() => placeFiles(folder.path, ['.dockerignore'], READ)).toThrow(/Cannot read \.dockerignore in/);
    writeFileSync(join(folder.path, 'Dockerfile'), '');
    truncateSync(join(folder.path, 'Dockerfile'), 16 * 1024 * 1024 + 1);
    expect(() => placeFiles(folder.path, ['Dockerfile'], READ)).toThrow(/more than a frontend takes in one message/);
  });
});
