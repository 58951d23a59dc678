// What the figures were taken on, and whether it has what the bench needs.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** The programs that are needed, how each tells its version, and how to have it. */
const needed = [
  { name: 'go', args: ['version'], pattern: /go(\d[\d.]*)/, install: 'Go 1.26 or later, https://go.dev/dl/' },
  { name: 'socat', args: ['-V'], pattern: /socat version ([\d.]+)/, install: 'apt-get install socat' },
  { name: 'runc', args: ['--version'], pattern: /runc version (\S+)/, install: 'apt-get install runc' },
  { name: 'haproxy', args: ['-v'], pattern: /version ([\w.]+)/, install: 'apt-get install haproxy' },
];

/**
 * @param {readonly string[]} wanted names of programs
 * @returns {{ versions: Record<string, string>, missing: string[] }} `missing`: what to install, a line each
 */
export function programs(wanted) {
  /** @type {Record<string, string>} */
  const versions = {};
  /** @type {string[]} */
  const missing = [];
  for (const { name, args, pattern, install } of needed.filter(({ name: n }) => wanted.includes(n))) {
    const { stdout, error } = spawnSync(name, args, { encoding: 'utf8' });
    if (error) missing.push(`${name} is not installed: ${install}`);
    else versions[name] = pattern.exec(stdout)?.[1] ?? 'unknown';
  }
  return { versions, missing };
}

/**
 * @typedef {object} Machine
 * @property {string} cpu
 * @property {number} cores
 * @property {number} memoryGiB
 * @property {string} system
 * @property {number} loadAtStart
 * @property {Record<string, string>} versions
 * @property {string} date
 */

/** @param {Record<string, string>} versions @returns {Machine} */
export function machine(versions) {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${distribution()}, kernel ${release()}`,
    loadAtStart: loadavg()[0] ?? 0,
    versions: { node: process.versions.node, ...versions, bridgetape: bridgetapeVersion() },
    date: new Date().toISOString().slice(0, 10),
  };
}

function distribution() {
  const file = '/etc/os-release';
  const name = existsSync(file) && /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync(file, 'utf8'))?.[1];
  return name || platform();
}

function bridgetapeVersion() {
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const { stdout, status } = spawnSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
    cwd: new URL('.', import.meta.url),
    encoding: 'utf8',
  });
  return status === 0 ? `${version} (${stdout.trim()})` : version;
}
