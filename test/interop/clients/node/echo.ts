// The service that all clients here speak to, as protobuf-es and connect-es know one; see ../go/echo/echo.go.
import { createHash } from 'node:crypto';
import { create, createFileRegistry, type Message } from '@bufbuild/protobuf';
import type { GenMessage, GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_wrappers,
  type Any,
  type BytesValueSchema,
} from '@bufbuild/protobuf/wkt';

const PACKAGE = 'bridgetape.test.v1';
const KINDS = { Unary: 'unary', ServerStream: 'server_streaming', ClientStream: 'client_streaming', Bidi: 'bidi_streaming', Await: 'unary', Release: 'unary' } as const;

export type UnaryMethod = 'Unary' | 'Await' | 'Release';
export type StreamMethod = 'ServerStream' | 'ClientStream' | 'Bidi';

const BYTES = '.google.protobuf.BytesValue';

const file = create(FileDescriptorProtoSchema, {
  name: 'echo.proto',
  package: PACKAGE,
  syntax: 'proto3',
  dependency: ['google/protobuf/wrappers.proto', 'google/protobuf/any.proto'],
  // google.rpc.Status, which is what grpc-status-details-bin holds.
  messageType: [
    {
      name: 'Status',
      field: [
        { name: 'code', number: 1, type: FieldDescriptorProto_Type.INT32, label: FieldDescriptorProto_Label.OPTIONAL },
        { name: 'message', number: 2, type: FieldDescriptorProto_Type.STRING, label: FieldDescriptorProto_Label.OPTIONAL },
        { name: 'details', number: 3, type: FieldDescriptorProto_Type.MESSAGE, label: FieldDescriptorProto_Label.REPEATED, typeName: '.google.protobuf.Any' },
      ],
    },
  ],
  service: [
    {
      name: 'Echo',
      method: Object.entries(KINDS).map(([name, kind]) => ({
        name,
        inputType: BYTES,
        outputType: BYTES,
        serverStreaming: kind === 'server_streaming' || kind === 'bidi_streaming',
        clientStreaming: kind === 'client_streaming' || kind === 'bidi_streaming',
      })),
    },
  ],
});

const registry = createFileRegistry(file, (name) => (name.endsWith('any.proto') ? file_google_protobuf_any : file_google_protobuf_wrappers));

type MethodOf<Kind extends string> = { methodKind: Kind; input: typeof BytesValueSchema; output: typeof BytesValueSchema };

/** Its types say what the descriptor above says. */
export const Echo = registry.getService(`${PACKAGE}.Echo`) as GenService<{
  unary: MethodOf<'unary'>;
  serverStream: MethodOf<'server_streaming'>;
  clientStream: MethodOf<'client_streaming'>;
  bidi: MethodOf<'bidi_streaming'>;
  await: MethodOf<'unary'>;
  release: MethodOf<'unary'>;
}>;

export type RpcStatus = Message<'bridgetape.test.v1.Status'> & { code: number; message: string; details: Any[] };
export const RpcStatusSchema = registry.getMessage(`${PACKAGE}.Status`) as GenMessage<RpcStatus>;

export const pathOf = (method: UnaryMethod | StreamMethod): string => `/${PACKAGE}.Echo/${method}`;

/** What a call is to get; its fields are told in ../go/echo/echo.go. */
export interface Order {
  readonly label: string;
  readonly messages?: number;
  readonly size?: number;
  readonly pauseMs?: number;
  readonly headers?: boolean;
  readonly hold?: boolean;
  readonly stop?: number;
  readonly code?: number;
  readonly text?: string;
  readonly details?: readonly number[];
  readonly tail?: readonly number[];
  readonly tailBin?: readonly number[];
  readonly ended?: boolean;
}

export const orderBytes = (order: Order): Uint8Array => Buffer.from(JSON.stringify(order));

/** So many bytes that look like nothing else, the same for a label in every language. */
export function content(label: string, size: number): Uint8Array {
  return createHash('shake128', { outputLength: size }).update(label).digest();
}
