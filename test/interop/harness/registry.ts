// An image registry on the loopback interface, with storage that goes away.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dyingWithUs, startCommand } from './command.js';
import { temporaryFolder } from './temporary-folder.js';

export interface Registry {
  /** `localhost:PORT`. */
  readonly host: string;
  /** The part of buildkitd.toml that lets a daemon speak plain HTTP to it. */
  readonly daemonConfig: string;
  stop(): Promise<void>;
}

const REGISTRY_TIMEOUT = 3_600_000;

export async function startRegistry({ port = 0 }: { readonly port?: number } = {}): Promise<Registry> {
  const folder = temporaryFolder('bt-registry-');
  const config = join(folder.path, 'config.yml');
  // JSON is YAML. Port 0: the kernel picks one, and the registry says which.
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      log: { accesslog: { disabled: true }, level: 'info' },
      storage: { filesystem: { rootdirectory: join(folder.path, 'storage') } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  const registry = startCommand(dyingWithUs(['docker-registry', 'serve', config]), {
    cwd: folder.path,
    env: { OTEL_TRACES_EXPORTER: 'none' },
    timeout: REGISTRY_TIMEOUT,
  });
  const [, bound = ''] = await registry.until(/listening on 127\.0\.0\.1:(\d+)/);
  const host = `localhost:${bound}`;
  return {
    host,
    daemonConfig: `[registry."${host}"]\n  http = true\n  insecure = true\n`,
    stop: async () => {
      registry.kill('SIGKILL');
      await registry.result;
      await folder.remove();
    },
  };
}
