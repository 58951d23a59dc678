/** BuildKit's messages by their names. The .proto files come with bridgetape. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';

const folder = join(dirname(createRequire(import.meta.url).resolve('bridgetape/package.json')), 'proto');

const root = new protobuf.Root();
root.resolvePath = (_origin, path) => (path.startsWith('/') || protobuf.common.get(path) !== null ? path : join(folder, path));
root.loadSync(['moby/buildkit/v1/control.proto', 'moby/buildkit/v1/frontend/gateway.proto'].map((path) => join(folder, path)), { keepCase: true });

export type Fields = Readonly<Record<string, unknown>>;

export function encode(type: string, fields: Fields): Uint8Array {
  const known = root.lookupType(type);
  return known.encode(known.fromObject({ ...fields })).finish();
}

export function decode(type: string, bytes: Uint8Array): Fields {
  const known = root.lookupType(type);
  return known.toObject(known.decode(bytes), { bytes: Buffer }) as Fields;
}
