// A folder to build from: a Dockerfile, and the static busybox that all images here are made of.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildKit } from './binaries.js';
import { busyboxDir } from './busybox.js';
import { temporaryFolder } from './temporary-folder.js';

export interface Recipe {
  readonly path: string;
  /** `buildctl build` of it, to be run in its folder: nothing else than `more` differs from call to call. */
  build(programs: BuildKit, more?: readonly string[]): readonly string[];
  write(name: string, content: string): void;
  remove(): Promise<void>;
}

/** Several stages from nothing, two of them side by side, with output of their own. */
export const MULTI_STAGE = `FROM scratch AS tools
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]

FROM tools AS greeting
ARG WHO=nobody
RUN echo hello $WHO | tee /greeting

FROM tools AS numbers
RUN for i in 1 2 3; do echo counting to $i; usleep 20000; done; seq 1 3 >/numbers

FROM scratch
COPY --from=greeting /greeting /
COPY --from=numbers /numbers /
`;

/** A step that fails after others did not. */
export const FAILING = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN echo so far so good
RUN echo no more of this >&2; exit 7
`;

export function recipe(dockerfile: string): Recipe {
  const folder = temporaryFolder('bt-recipe-');
  const write = (name: string, content: string): void => writeFileSync(join(folder.path, name), content);
  write('Dockerfile', dockerfile);
  copyFileSync(join(busyboxDir(), 'busybox'), join(folder.path, 'busybox'));
  return {
    path: folder.path,
    build: ({ buildctl }, more = []) => [
      ...[buildctl, 'build', '--progress=plain', '--frontend', 'dockerfile.v0'],
      ...['--local', 'context=.', '--local', 'dockerfile=.', ...more],
    ],
    write,
    remove: () => folder.remove(),
  };
}
