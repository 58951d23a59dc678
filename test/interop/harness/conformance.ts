// Public programs that test servers of HTTP/2 and gRPC, as Go modules: test/interop/conformance.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { built, GO_FLAGS, type GoModule } from './go-module.js';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'conformance');

function module(name: string, programs: Readonly<Record<string, string>>): GoModule {
  return {
    name: `conformance-${name}`,
    folder: join(folder, name),
    flags: [...GO_FLAGS, '-s -w'],
    programs: Object.entries(programs).map(([program, path]) => ({ name: program, package: path })),
  };
}

const MODULES = {
  h2spec: module('h2spec', { h2spec: 'github.com/summerwind/h2spec/cmd/h2spec' }),
  grpc: module('grpc', { client: 'google.golang.org/grpc/interop/client', server: 'google.golang.org/grpc/interop/server' }),
  connect: module('connect', {
    runner: 'connectrpc.com/conformance/cmd/connectconformance',
    'grpc-go': 'connectrpc.com/conformance/cmd/grpcserver',
    'connect-go': 'connectrpc.com/conformance/cmd/referenceserver',
  }),
} as const;

export const conformanceModules: readonly GoModule[] = Object.values(MODULES);

/** Builds what is missing, one after the other: each build takes all cores. */
export async function buildConformance(): Promise<void> {
  for (const one of conformanceModules) await built(one);
}

/** The path of a program of one of the modules. */
export async function conformanceProgram(name: keyof typeof MODULES, program: string): Promise<string> {
  return join(await built(MODULES[name]), program);
}
