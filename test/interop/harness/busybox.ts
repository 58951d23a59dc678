// The one program that images and containers here are made of.
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError, tail } from './command.js';
import type { Daemon } from './daemon.js';
import type { Registry } from './registry.js';
import { temporaryFolder } from './temporary-folder.js';

/** Debian's busybox-static. */
const INSTALLED = ['/bin/busybox', '/usr/bin/busybox'];

/** A fixed time, so that what is made of the folder is the same each time. */
const LONG_AGO = new Date('2020-01-02T03:04:05Z');

/** A folder that holds nothing but a static `busybox`: the frontend's `--busybox-dir`, a build's context. */
export function busyboxDir(): string {
  const from = INSTALLED.find((path) => existsSync(path));
  if (from === undefined) throw new Error('busybox-static is not installed; run scripts/interop-setup.sh');
  const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache', 'busybox');
  const to = join(folder, 'busybox');
  if (!existsSync(to) || statSync(to).size !== statSync(from).size) {
    mkdirSync(folder, { recursive: true });
    const fresh = join(dirname(folder), `busybox.${process.pid}`);
    copyFileSync(from, fresh);
    chmodSync(fresh, 0o755);
    utimesSync(fresh, LONG_AGO, LONG_AGO);
    renameSync(fresh, to);
  }
  return folder;
}

const BASE_IMAGE = `FROM scratch
COPY busybox /bin/busybox
ENV COLOUR=green
LABEL made.by="bridgetape tests"
ENTRYPOINT ["/bin/busybox"]
CMD ["sh"]
`;

/** Builds an image with busybox in it, pushes it to the registry, and gives its name: `localhost:PORT/NAME:latest`. */
export async function pushBaseImage(daemon: Daemon, registry: Registry, name = 'base'): Promise<string> {
  const folder = temporaryFolder('bt-image-');
  try {
    writeFileSync(join(folder.path, 'Dockerfile'), BASE_IMAGE);
    const image = `${registry.host}/${name}:latest`;
    const { status, stderr } = await daemon.buildctl([
      ...['build', '--progress=plain', '--frontend=dockerfile.v0'],
      ...['--local', `context=${busyboxDir()}`, '--local', `dockerfile=${folder.path}`],
      ...['--output', `type=image,name=${image},push=true,registry.insecure=true`],
    ]);
    if (status !== 0) throw new CommandError(`pushing ${image} failed\n${tail(stderr)}\nlast words of the daemon:\n${tail(daemon.logs())}`);
    return image;
  } finally {
    await folder.remove();
  }
}
