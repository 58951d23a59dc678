/** A client as tests have one: two of BuildKit's calls. */
import * as grpc from '@grpc/grpc-js';

import { control, encode } from '../../bridge/build.js';

const same = (bytes: Buffer): Buffer => bytes;

function call(address: string, path: string, request: Uint8Array): Promise<Buffer> {
  const client = new grpc.Client(address.replace('unix://', 'unix:'), grpc.credentials.createInsecure());
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, Buffer.from(request), new grpc.Metadata(), { deadline: Date.now() + 10_000 }, (error, answer) => (error === null && answer !== undefined ? resolve(answer) : reject(error ?? new Error('no answer'))));
  }).finally(() => client.close());
}

export const listWorkers = (address: string, ...filter: readonly string[]): Promise<Buffer> => call(address, control('ListWorkers'), encode('moby.buildkit.v1.ListWorkersRequest', { filter }));

/** What no cassette of these samples holds. */
export const diskUsage = (address: string): Promise<Buffer> => call(address, control('DiskUsage'), new Uint8Array());
