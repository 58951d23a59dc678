// What can stand between the load generator and the server, each started with the settings that suit it best.
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listens, peakMemory, run, start, stop, stopWatched } from './processes.mjs';

export const cli = fileURLToPath(new URL('../dist/cli/main.cjs', import.meta.url));

/**
 * @typedef {object} Place where a middle is to stand
 * @property {string} listen path of the socket to make
 * @property {string} to path of the server's socket
 * @property {string} folder for files of its own
 */

/**
 * @typedef {object} Standing a middle that forwards
 * @property {() => number} peak its peak memory so far, in bytes
 * @property {() => Promise<{ peak: number, cassette?: Recorded }>} end stops it
 */

/**
 * @typedef {object} Recorded what a recorder left behind
 * @property {string} file
 * @property {number} bytes
 * @property {number} closingMs from the signal to its end
 */

/**
 * @typedef {object} Middle
 * @property {string} name
 * @property {string} title
 * @property {(place: Place) => Promise<Standing> | undefined} start undefined: nothing stands in the middle
 */

/** @type {readonly Middle[]} */
export const middles = [
  { name: 'direct', title: 'nothing', start: () => undefined },
  // 256 KiB did best of 8 KiB to 1 MiB here: a larger buffer than a socket holds at once saves no more calls.
  { name: 'socat', title: 'socat -b 262144', start: (place) => socat(place, ['-b', '262144']) },
  { name: 'socat-plain', title: 'socat as it comes', start: (place) => socat(place, []) },
  { name: 'haproxy', title: 'haproxy (HTTP/2)', start: haproxy },
  { name: 'splice', title: 'node sockets, nothing read', start: splice },
  { name: 'bridgetape', title: 'bridgetape record', start: (place) => bridgetape(place) },
];

export const usualMiddles = ['direct', 'socat', 'socat-plain', 'haproxy', 'bridgetape'];

/** @param {Place} place @param {readonly string[]} options */
async function socat({ listen, to }, options) {
  const argv = ['socat', ...options, `UNIX-LISTEN:${listen},fork,unlink-early`, `UNIX-CONNECT:${to}`];
  return plain(await start('socat', argv, { ready: () => listens(listen) }));
}

/** @param {Place} place */
async function haproxy({ listen, to, folder }) {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, haproxyConfig(listen, to));
  return plain(await start('haproxy', ['haproxy', '-db', '-q', '-f', file], { ready: () => listens(listen) }));
}

/**
 * HTTP/2 on both sides, connections reused, and windows and buffers that don't hold a fast stream back (with the
 * default of 16 KiB the large messages run at two thirds of this).
 * @param {string} listen @param {string} to
 */
const haproxyConfig = (listen, to) => `
global
    maxconn 256
    tune.h2.initial-window-size 1048576
    tune.bufsize 65536
defaults
    mode http
    timeout connect 5s
    timeout client 10m
    timeout server 10m
    http-reuse always
frontend in
    bind unix@${listen} proto h2
    default_backend out
backend out
    server bench unix@${to} proto h2
`;

/** @param {Place} place */
async function splice({ listen, to }) {
  const program = fileURLToPath(new URL('splice.mjs', import.meta.url));
  return plain(await start('splice', [process.execPath, program, listen, to], { ready: /listening on/ }));
}

/** @param {import('./processes.mjs').Running} process_ @returns {Standing} */
function plain(process_) {
  const peak = () => peakMemory(process_.pid);
  return {
    peak,
    end: async () => {
      const last = peak();
      await stop(process_);
      return { peak: last };
    },
  };
}

/**
 * @param {Place} place
 * @param {{ nodeOptions?: readonly string[], name?: string }} [options] `name` of the cassette
 * @returns {Promise<Standing>}
 */
export async function bridgetape({ listen, to, folder }, { nodeOptions = [], name = 'bench.cassette' } = {}) {
  const file = join(folder, name);
  const process_ = await start(
    'bridgetape record',
    [process.execPath, ...nodeOptions, cli, 'record', '--force', '-o', file, '--to', `unix://${to}`, '--listen', `unix://${listen}`],
    { ready: /listening on/ },
  );
  return {
    peak: () => peakMemory(process_.pid),
    end: async () => {
      const { peak, ms, code, signal } = await stopWatched(process_);
      if (code !== 0) throw new Error(`bridgetape record ended with ${signal ?? code}\n${process_.stderr()}`);
      // A figure counts only when what was recorded is whole.
      await run('bridgetape verify', [process.execPath, cli, 'verify', file]);
      return { peak, cassette: { file, bytes: statSync(file).size, closingMs: ms } };
    },
  };
}

/**
 * Serves a cassette.
 * @param {string} cassette
 * @param {string} listen
 * @param {readonly string[]} [nodeOptions]
 * @param {readonly string[]} [options] of the replay
 */
export async function replayer(cassette, listen, nodeOptions = [], options = []) {
  const process_ = await start('bridgetape replay', [process.execPath, ...nodeOptions, ...replayArgs(cassette, listen), ...options], {
    ready: /listening on/,
  });
  return {
    peak: () => peakMemory(process_.pid),
    end: async () => {
      const { peak, code, signal } = await stopWatched(process_);
      rmSync(listen, { force: true });
      if (code !== 0) throw new Error(`bridgetape replay ended with ${signal ?? code}\n${process_.stderr()}`);
      return { peak };
    },
  };
}

/** @param {string} cassette @param {string} listen */
export const replayArgs = (cassette, listen) => [cli, 'replay', cassette, '--listen', `unix://${listen}`];
