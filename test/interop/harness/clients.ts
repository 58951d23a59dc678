// gRPC clients in four stacks, and the server that they talk to: test/interop/clients.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { dyingWithUs, startCommand } from './command.js';
import { built, cache, GO_FLAGS, type GoModule } from './go-module.js';
import { pythonWith } from './python.js';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'clients');

export const clientsModule: GoModule = {
  name: 'clients-go',
  folder: join(folder, 'go'),
  flags: [...GO_FLAGS, '-s -w'],
  programs: [
    { name: 'client', package: './client' },
    { name: 'server', package: './server' },
  ],
};

export const STACKS = ['grpc-go', 'grpc-js', 'connect-es', 'grpcio'] as const;
export type StackName = (typeof STACKS)[number];

/** Makes all clients and the server: Go's programs, Python's packages, one script for Node. */
export async function buildClients(): Promise<void> {
  await Promise.all([built(clientsModule), python(), bundle()]);
}

/** A client's command line; the scenarios come behind it. */
export async function clientCommand(stack: StackName): Promise<readonly string[]> {
  switch (stack) {
    case 'grpc-go':
      return [join(await built(clientsModule), 'client')];
    case 'grpcio':
      return [await python(), join(folder, 'python', 'client.py')];
    case 'grpc-js':
    case 'connect-es':
      return [process.execPath, script, stack];
  }
}

export interface EchoServer {
  /** What BUILDKIT_HOST wants, one for each of its sockets. */
  readonly unix: string;
  readonly tcp: string;
  stop(): Promise<void>;
}

/** @param socket path of its unix socket */
export async function startEchoServer(socket: string): Promise<EchoServer> {
  const server = startCommand(dyingWithUs([join(await built(clientsModule), 'server'), '--unix', socket]));
  const [, unix = '', tcp = ''] = await server.until(/listening on (\S+) and (\S+)/);
  return {
    unix,
    tcp,
    stop: async () => {
      server.kill('SIGTERM');
      await server.result;
    },
  };
}

const python = (): Promise<string> => pythonWith('clients-python', join(folder, 'python', 'requirements.txt'));

const script = join(cache, 'clients-node', 'client.mjs');

/** In one script, a client on Node starts in a fifth of the time that compiling it takes. */
async function bundle(): Promise<void> {
  await build({
    entryPoints: [join(folder, 'node', 'main.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // grpc-js is CommonJS, and asks for Node's own modules with require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
}
