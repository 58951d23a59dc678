// One file over HTTP on the loopback interface, for llb.HTTP.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';

export interface FileServer {
  /** `http://127.0.0.1:PORT/NAME`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves one file. With a fixed port, recordings that hold the URL are the same from run to run. */
export async function serveFile(path: string, { port = 0 }: { readonly port?: number } = {}): Promise<FileServer> {
  const { size } = await stat(path);
  const server = createServer((request, response) => {
    response.setHeader('ETag', `"${basename(path)}-${size}"`);
    response.setHeader('Content-Length', size);
    if (request.method === 'HEAD') response.end();
    else createReadStream(path).pipe(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}/${basename(path)}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
