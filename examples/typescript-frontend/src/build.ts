/** One build over BuildKit's control socket: what Go's client.Build is to a frontend. */
import { randomBytes } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';

import { decode, encode, type Fields } from './messages.js';

const CONTROL = 'moby.buildkit.v1';
const FRONTEND = 'moby.buildkit.v1.frontend';
const same = (bytes: Buffer): Buffer => bytes;

/** What a frontend can ask of BuildKit. */
export interface Build {
  /** Solves a definition. @returns the id of what came of it */
  solve(definition: Fields): Promise<string>;
  readFile(ref: string, path: string): Promise<string>;
}

/**
 * Runs a frontend.
 *
 * @param address of buildkitd, as in BUILDKIT_HOST
 * @param frontend @returns the id of the result
 */
export async function build(address: string, frontend: (build: Build) => Promise<string>): Promise<void> {
  const client = new grpc.Client(address.replace(/^unix:\/\//, 'unix:').replace(/^tcp:\/\//, ''), grpc.credentials.createInsecure());
  const id = randomBytes(16).toString('hex').slice(0, 25);
  const metadata = new grpc.Metadata();
  metadata.set('buildkit-controlapi-buildid', id);

  const call = async (path: string, requestType: string, request: Fields, responseType: string): Promise<Fields> => {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(path, same, same, Buffer.from(encode(requestType, request)), metadata, (error, bytes) => (error === null && bytes !== undefined ? resolve(bytes) : reject(error ?? new Error('no answer'))));
    });
    return decode(responseType, answer);
  };
  const bridge = (method: string, request: Fields): Promise<Fields> => call(`/${FRONTEND}.LLBBridge/${method}`, `${FRONTEND}.${method}Request`, request, `${FRONTEND}.${method === 'Ping' ? 'Pong' : method}Response`);

  try {
    // It lasts as long as the build; without a frontend's name, this client is the frontend.
    const solving = call(`/${CONTROL}.Control/Solve`, `${CONTROL}.SolveRequest`, { Ref: id }, `${CONTROL}.SolveResponse`);
    const building = (async () => {
      await bridge('Ping', {});
      const ref = await frontend({
        solve: async (definition) => {
          const { result } = (await bridge('Solve', { Definition: definition, allowResultReturn: true, allowResultArrayRef: true })) as { result?: { ref?: { id?: string } } };
          return result?.ref?.id ?? '';
        },
        readFile: async (from, path) => {
          const { Data } = (await bridge('ReadFile', { Ref: from, FilePath: path })) as { Data?: Buffer };
          return Data?.toString() ?? '';
        },
      }).catch(async (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        await bridge('Return', { error: { code: grpc.status.UNKNOWN, message: why } }).catch(() => undefined);
        throw error;
      });
      await bridge('Return', { result: { ref: { id: ref } } });
    })();
    // The build is over when Solve is, however the frontend ended; that knows better why it failed.
    const [built, solved] = await Promise.allSettled([building, solving]);
    if (built.status === 'rejected') throw built.reason;
    if (solved.status === 'rejected') throw solved.reason;
  } finally {
    client.close();
  }
}
