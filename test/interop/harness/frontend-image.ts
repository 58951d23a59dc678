// BuildKit's own Dockerfile frontend as the image that `# syntax=…` names.
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, tail } from './command.js';
import type { Daemon } from './daemon.js';
import type { Registry } from './registry.js';
import { temporaryFolder } from './temporary-folder.js';

/** The labels say what such a frontend can be asked for, as BuildKit's own image has them. */
const IMAGE = `FROM scratch
COPY dockerfile-frontend /bin/dockerfile-frontend
LABEL moby.buildkit.frontend.network.none="true"
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts"
ENTRYPOINT ["/bin/dockerfile-frontend"]
`;

/** Pushes the frontend of the daemon's version to the registry. @returns its name: `localhost:PORT/docker/dockerfile:1` */
export async function pushFrontendImage(daemon: Daemon, registry: Registry): Promise<string> {
  const folder = temporaryFolder('bt-frontend-');
  try {
    copyFileSync(daemon.programs.dockerfileFrontend, join(folder.path, 'dockerfile-frontend'));
    chmodSync(join(folder.path, 'dockerfile-frontend'), 0o755);
    writeFileSync(join(folder.path, 'Dockerfile'), IMAGE);
    const image = `${registry.host}/docker/dockerfile:1`;
    const { status, stderr } = await daemon.buildctl([
      ...['build', '--progress=plain', '--frontend=dockerfile.v0'],
      ...['--local', `context=${folder.path}`, '--local', `dockerfile=${folder.path}`],
      ...['--output', `type=image,name=${image},push=true,registry.insecure=true`],
    ]);
    if (status !== 0) throw new CommandError(`pushing ${image} failed\n${tail(stderr)}\nlast words of the daemon:\n${tail(daemon.logs())}`);
    return image;
  } finally {
    await folder.remove();
  }
}
