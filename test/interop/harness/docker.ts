// A real Docker Engine (Debian's) in a folder of its own, and Docker's command line with buildx for it.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildx } from './binaries.js';
import { runCommand, startCommand, tail } from './command.js';
import { inNamespaces, signalDaemon } from './daemon.js';
import { temporaryFolder } from './temporary-folder.js';

export interface Docker {
  /** `unix://…`, what DOCKER_HOST wants. */
  readonly address: string;
  /** What a command line needs to have buildx, and nothing of this machine's user: DOCKER_CONFIG. */
  readonly env: Readonly<Record<string, string | undefined>>;
  logs(): string;
  /** Ends the engine and its containers. The folder stays until `remove`. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

export interface DockerOptions {
  /** Credentials in the configuration, as `docker login` puts them there: registry to `user:password` in base64. */
  readonly auths?: Readonly<Record<string, string>>;
}

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 20_000;
const READY_RETRY = 50;
/** An engine runs as long as its test file does; this only bounds a forgotten one. */
const ENGINE_TIMEOUT = 3_600_000;

export async function startDocker({ auths = {} }: DockerOptions = {}): Promise<Docker> {
  const folder = temporaryFolder('bt-docker-');
  const at = (name: string): string => join(folder.path, name);
  mkdirSync(at('config/cli-plugins'), { recursive: true });
  copyFileSync(await buildx(), at('config/cli-plugins/docker-buildx'));
  // Command lines before v23 build by other means unless they are told.
  const config = { aliases: { builder: 'buildx' }, auths: Object.fromEntries(Object.entries(auths).map(([registry, auth]) => [registry, { auth }])) };
  writeFileSync(at('config/config.json'), JSON.stringify(config));
  const address = `unix://${at('docker.sock')}`;
  const env = { DOCKER_CONFIG: at('config'), DOCKER_HOST: undefined, DOCKER_CONTEXT: undefined, BUILDX_BUILDER: undefined };
  const argv = ['dockerd', '--host', address, '--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid'), '--iptables=false', '--bridge=none'];
  const engine = startCommand(inNamespaces(argv), { cwd: folder.path, timeout: ENGINE_TIMEOUT, env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });
  const logs = (): string => engine.stderr() + engine.stdout();
  const state = { ended: false };
  const ended = engine.result.then(
    () => void (state.ended = true),
    () => void (state.ended = true),
  );

  const stop = async (): Promise<void> => {
    signalDaemon(engine.pid, 'SIGTERM');
    const late = setTimeout(() => engine.kill('SIGKILL', { group: true }), STOP_TIMEOUT);
    await ended;
    clearTimeout(late);
  };

  const deadline = performance.now() + START_TIMEOUT;
  for (;;) {
    const { status } = await runCommand(['docker', '--host', address, 'version'], { env, timeout: START_TIMEOUT });
    if (status === 0) break;
    if (state.ended || performance.now() > deadline) {
      await stop();
      await folder.remove();
      throw new Error(`dockerd did not start\n${tail(logs())}`);
    }
    await delay(READY_RETRY);
  }
  return { address, env, logs, stop, remove: () => folder.remove() };
}
