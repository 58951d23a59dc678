/** Cassettes of frontends, written to a file, and what a process saw that was run against one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CassetteWriter, type FrontendRun, whole } from '../../src/cassette/index.js';
import type { RecordedCall } from '../../src/replayer/recorded-call.js';

export const FRONTEND_RUN: FrontendRun = {
  arguments: ['/bin/frontend'],
  environment: ['BUILDKIT_FRONTEND_OPT_0=target=a', 'BUILDKIT_SESSION_ID=s', 'OTEL_SERVICE_NAME=x', 'TRACEPARENT=00-x', 'PATH=/nowhere'],
  directory: '/',
  user: { uid: 0, gid: 0, additionalGids: [] },
  files: [],
  exit: { status: 0 },
};

/** A folder that is gone after the test. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'bt-frontend-'));
  readonly cassette = join(this.path, 'frontend.cassette');

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** @param frontend left out: the cassette is one of a control socket */
export async function writeCassette(file: string, calls: readonly RecordedCall[], frontend?: FrontendRun): Promise<void> {
  const header = { tool: 'bridgetape 0.1.0', startedAt: new Date(0), listen: ['stdio:'], upstream: 'stdio:', bodiesLeftOut: [] };
  const writer = await CassetteWriter.create(file, { ...header, ...(frontend === undefined ? {} : { frontend }) }, { force: true });
  writer.append({ kind: 'connection-open', connection: 1, time: 0n, address: 'stdio:' });
  const events = calls.flatMap((call) => call.events).sort((a, b) => a.seq - b.seq);
  for (const event of events) writer.append('data' in event ? { ...event, data: event.data && [whole(event.data)] } : event);
  await writer.close({});
}
