/**
 * The values that differ from run to run though nothing that matters does: one table, a row for each place, with
 * why it differs and where BuildKit makes it. The normaliser knows no others but those of a user (rules.ts).
 */

import { ID_SHAPE } from './identity.js';

export type VolatileKind =
  | 'session'
  | 'unique'
  | 'shared-key'
  | 'store'
  | 'upload'
  | 'progress-group'
  | 'traceparent'
  /** A user's rule says so. */
  | 'any';

export interface VolatileRule {
  /** By which it is switched off; places of one thing share it. */
  readonly name: string;
  readonly kind: VolatileKind;
  /** Full name of the message and name of the field; '*' for every string of every message. */
  readonly message: string;
  readonly field: string;
  /** In a map, or a list of `NAME=value`: the key, or with a `*` at its end the beginning of the key. Every key when absent. */
  readonly key?: string;
  /** The part of the value that is volatile (its first group, or all of the match); the whole value when absent. */
  readonly pattern?: RegExp;
  readonly reason: string;
  /** Where in BuildKit (v0.32.2) the value comes from. */
  readonly source: string;
}

const UPLOAD = new RegExp(`http://buildkit-session/(${ID_SHAPE})`, 'g');
const RANDOM_STORE = new RegExp(`oci-layout://(${ID_SHAPE})(?![0-9a-z])`, 'g');

const FRONTEND = 'moby.buildkit.v1.frontend';

/** Where a frontend's options stand. */
export const FRONTEND_OPTIONS = [
  { message: `${FRONTEND}.SolveRequest`, field: 'FrontendOpt' },
  { message: 'moby.buildkit.v1.SolveRequest', field: 'FrontendAttrs' },
] as const;

export const VOLATILE_RULES: readonly VolatileRule[] = [
  {
    name: 'local.session',
    kind: 'session',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'local.session',
    reason: 'names the session that has the folder; a new session has a new id',
    source: 'client/llb/source.go, solver/pb/attr.go',
  },
  {
    name: 'local.unique',
    kind: 'unique',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'local.unique',
    reason: 'a random id for each set of constraints, so that no two builds share a local source',
    source: 'client/llb/state.go',
  },
  {
    name: 'local.sharedkeyhint',
    kind: 'shared-key',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'local.sharedkeyhint',
    reason: 'names a folder of one host so that transfers can be reused; buildx puts a per-host value in',
    source: 'client/llb/source.go',
  },
  {
    name: 'oci.session',
    kind: 'session',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'oci.session',
    reason: 'names the session that has the OCI layout',
    source: 'client/llb/source.go, solver/pb/attr.go',
  },
  {
    name: 'oci.store',
    kind: 'store',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'oci.store',
    reason: 'a name that the client gives its OCI layout for one build; buildx makes a random one',
    source: 'client/llb/source.go, solver/pb/attr.go',
  },
  {
    name: 'oci.store',
    kind: 'store',
    message: 'pb.SourceOp',
    field: 'identifier',
    pattern: RANDOM_STORE,
    reason: "a random store's name can stand in the reference itself",
    source: 'frontend/dockerui/namedcontext.go',
  },
  {
    name: 'upload',
    kind: 'upload',
    message: 'pb.SourceOp',
    field: 'identifier',
    pattern: UPLOAD,
    reason: 'a context that the client sends as one stream has a random URL',
    source: 'session/upload/uploadprovider/provider.go',
  },
  {
    name: 'progress_group.id',
    kind: 'progress-group',
    message: 'pb.ProgressGroup',
    field: 'id',
    reason: 'a random id that only groups steps on the screen',
    source: 'frontend/dockerfile/dockerfile2llb/convert_copy.go',
  },
  ...FRONTEND_OPTIONS.flatMap(({ message, field }): VolatileRule[] => [
    {
      name: 'local-sessionid',
      kind: 'session',
      message,
      field,
      key: 'local-sessionid:*',
      reason: 'names the session that has this folder, when it is another one than the build\'s',
      source: 'frontend/dockerui/attr.go',
    },
    {
      name: 'oci.store',
      kind: 'store',
      message,
      field,
      pattern: RANDOM_STORE,
      reason: 'a named context that is an OCI layout: buildx gives it a random store',
      source: 'frontend/dockerui/namedcontext.go',
    },
    {
      name: 'upload',
      kind: 'upload',
      message,
      field,
      pattern: UPLOAD,
      reason: 'a context that the client sends as one stream has a random URL',
      source: 'session/upload/uploadprovider/provider.go',
    },
  ]),
  {
    name: 'oci.session',
    kind: 'session',
    message: `${FRONTEND}.ResolveImageConfigRequest`,
    field: 'SessionID',
    reason: 'names the session that has the OCI layout',
    source: 'frontend/gateway/grpcclient/client.go',
  },
  {
    name: 'oci.store',
    kind: 'store',
    message: `${FRONTEND}.ResolveImageConfigRequest`,
    field: 'StoreID',
    reason: 'a name that the client gives its OCI layout for one build',
    source: 'frontend/gateway/grpcclient/client.go',
  },
  {
    name: 'source-policy.session',
    kind: 'session',
    message: 'moby.buildkit.v1.SolveRequest',
    field: 'SourcePolicySession',
    reason: 'names the session that decides about sources',
    source: 'client/solve.go',
  },
  {
    name: 'traceparent',
    kind: 'traceparent',
    message: '*',
    field: '*',
    pattern: /\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b/g,
    reason: 'a W3C trace context, in an environment or an option: new for each run',
    source: 'util/tracing/exec/traceexec.go',
  },
];

/** Where a client gives a name to something that later requests refer to by it. */
export interface DefiningField {
  readonly kind: 'build' | 'session' | 'container' | 'process';
  readonly message: string;
  readonly field: string;
  /** The field that has to be there for the message to define rather than to refer. */
  readonly when?: string;
  readonly source: string;
}

export const DEFINING_FIELDS: readonly DefiningField[] = [
  { kind: 'build', message: 'moby.buildkit.v1.SolveRequest', field: 'Ref', source: 'client/solve.go' },
  { kind: 'session', message: 'moby.buildkit.v1.SolveRequest', field: 'Session', source: 'session/session.go' },
  { kind: 'container', message: `${FRONTEND}.NewContainerRequest`, field: 'ContainerID', source: 'frontend/gateway/grpcclient/client.go' },
  { kind: 'process', message: `${FRONTEND}.ExecMessage`, field: 'ProcessID', when: 'Init', source: 'frontend/gateway/grpcclient/client.go' },
];

/** Error details that say nothing about the build, by type URL. */
export const VOLATILE_DETAILS: readonly { readonly name: string; readonly typeUrl: string; readonly reason: string; readonly source: string }[] = [
  {
    name: 'stack',
    typeUrl: 'github.com/moby/buildkit/stack.Stack+json',
    reason: 'the pid, arguments and version of whichever process failed',
    source: 'util/stack/stack.go',
  },
];

/** The stand-in for a volatile value or for an id that the message itself defines. */
export const placeholder = (kind: VolatileKind | DefiningField['kind']): string => `⟨${kind}⟩`;
