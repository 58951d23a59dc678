/**
 * An OCI bundle's config.json, as far as it tells a container frontend from everything else, and what it says of how
 * that is run. It comes from another program: every member is looked at before it is used.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { FrontendRun } from '../cassette/index.js';

/** BuildKit writes some 20 KiB; the environment can make it longer, and Linux takes 6 MiB of that. */
const MAX_CONFIG = 32 * 1024 * 1024;

/** A daemon that was built by hand can call itself something long. */
const MAX_VERSION = 256;

/** Where BuildKit puts what it tells a frontend in files, since v0.10 (frontend/gateway/gateway.go). */
const METADATA_FOLDER = '/run/config/buildkit/metadata';

export interface FrontendBundle {
  readonly run: Omit<FrontendRun, 'files' | 'exit'>;
  /** The metadata folder: its path in the container and on this machine. */
  readonly metadata: { readonly path: string; readonly source: string } | undefined;
  /** The client's session, which names the build. */
  readonly session: string;
  /** What the workers say that a frontend is told of, in later versions. */
  readonly buildkitVersion: string | undefined;
}

/** @returns undefined when there is no bundle, or it is not a frontend's */
export function readBundle(folder: string): FrontendBundle | undefined {
  try {
    const path = join(folder, 'config.json');
    return statSync(path).size > MAX_CONFIG ? undefined : parseBundle(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // What the runtime makes of such a bundle is the runtime's to say.
    return undefined;
  }
}

/**
 * A frontend has no terminal, and has BUILDKIT_SESSION_ID and BUILDKIT_WORKERS in its environment, in all versions of
 * BuildKit. A RUN step has neither, unless its Dockerfile sets them; but that has no pipe on stdin.
 */
export function parseBundle(config: unknown): FrontendBundle | undefined {
  const process = member(config, 'process');
  const environment = texts(member(process, 'env'));
  const session = valueOf(environment, 'BUILDKIT_SESSION_ID');
  const workers = valueOf(environment, 'BUILDKIT_WORKERS');
  if (session === undefined || workers === undefined || member(process, 'terminal') === true) return undefined;
  const user = member(process, 'user');
  const directory = member(process, 'cwd');
  return {
    run: {
      arguments: texts(member(process, 'args')),
      environment,
      directory: typeof directory === 'string' ? directory : '/',
      user: { uid: id(member(user, 'uid')), gid: id(member(user, 'gid')), additionalGids: list(member(user, 'additionalGids')).map(id) },
    },
    metadata: metadataOf(list(member(config, 'mounts'))),
    session,
    buildkitVersion: versionIn(workers),
  };
}

function metadataOf(mounts: readonly unknown[]): FrontendBundle['metadata'] {
  for (const mount of mounts) {
    const source = member(mount, 'source');
    if (member(mount, 'destination') === METADATA_FOLDER && typeof source === 'string') return { path: METADATA_FOLDER, source };
  }
  return undefined;
}

/** BUILDKIT_WORKERS is JSON: a list, whose first record is that of the worker that is meant. */
function versionIn(workers: string): string | undefined {
  try {
    const version = member(member(list(JSON.parse(workers))[0], 'buildkitVersion'), 'version');
    return typeof version === 'string' && version !== '' ? version.slice(0, MAX_VERSION) : undefined;
  } catch {
    return undefined; // a variable of that name can hold anything
  }
}

function valueOf(environment: readonly string[], name: string): string | undefined {
  return environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): string[] {
  return list(value).filter((item) => typeof item === 'string');
}

function id(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : 0;
}
