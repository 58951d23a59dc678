/**
 * The values that differ from run to run though nothing that matters does: one table, a row for each place, with
 * why it differs and where BuildKit makes it. The normaliser reads these rows and knows no others.
 */

import { ID_SHAPE } from './identity.js';

export type VolatileKind =
  | 'session'
  | 'unique'
  | 'shared-key'
  | 'store'
  | 'upload'
  | 'progress-group'
  | 'traceparent';

export interface VolatileRule {
  readonly kind: VolatileKind;
  /** Full name of the message and name of the field; '*' for every string of every message. */
  readonly message: string;
  readonly field: string;
  /** In a map field: the key, or with a `*` at its end the beginning of the key. Every key when absent. */
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

export const VOLATILE_RULES: readonly VolatileRule[] = [
  {
    kind: 'session',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'local.session',
    reason: 'names the session that has the folder; a new session has a new id',
    source: 'client/llb/source.go, solver/pb/attr.go',
  },
  {
    kind: 'unique',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'local.unique',
    reason: 'a random id for each set of constraints, so that no two builds share a local source',
    source: 'client/llb/state.go',
  },
  {
    kind: 'shared-key',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'local.sharedkeyhint',
    reason: 'names a folder of one host so that transfers can be reused; buildx puts a per-host value in',
    source: 'client/llb/source.go',
  },
  {
    kind: 'session',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'oci.session',
    reason: 'names the session that has the OCI layout',
    source: 'client/llb/source.go, solver/pb/attr.go',
  },
  {
    kind: 'store',
    message: 'pb.SourceOp',
    field: 'attrs',
    key: 'oci.store',
    reason: 'a name that the client gives its OCI layout for one build; buildx makes a random one',
    source: 'client/llb/source.go, solver/pb/attr.go',
  },
  {
    kind: 'store',
    message: 'pb.SourceOp',
    field: 'identifier',
    pattern: RANDOM_STORE,
    reason: "a random store's name can stand in the reference itself",
    source: 'frontend/dockerui/namedcontext.go',
  },
  {
    kind: 'upload',
    message: 'pb.SourceOp',
    field: 'identifier',
    pattern: UPLOAD,
    reason: 'a context that the client sends as one stream has a random URL',
    source: 'session/upload/uploadprovider/provider.go',
  },
  {
    kind: 'progress-group',
    message: 'pb.ProgressGroup',
    field: 'id',
    reason: 'a random id that only groups steps on the screen',
    source: 'frontend/dockerfile/dockerfile2llb/convert_copy.go',
  },
  ...[
    { message: `${FRONTEND}.SolveRequest`, field: 'FrontendOpt' },
    { message: 'moby.buildkit.v1.SolveRequest', field: 'FrontendAttrs' },
  ].flatMap(({ message, field }): VolatileRule[] => [
    {
      kind: 'session',
      message,
      field,
      key: 'local-sessionid:*',
      reason: 'names the session that has this folder, when it is another one than the build\'s',
      source: 'frontend/dockerui/attr.go',
    },
    {
      kind: 'store',
      message,
      field,
      pattern: RANDOM_STORE,
      reason: 'a named context that is an OCI layout: buildx gives it a random store',
      source: 'frontend/dockerui/namedcontext.go',
    },
    {
      kind: 'upload',
      message,
      field,
      pattern: UPLOAD,
      reason: 'a context that the client sends as one stream has a random URL',
      source: 'session/upload/uploadprovider/provider.go',
    },
  ]),
  {
    kind: 'session',
    message: `${FRONTEND}.ResolveImageConfigRequest`,
    field: 'SessionID',
    reason: 'names the session that has the OCI layout',
    source: 'frontend/gateway/grpcclient/client.go',
  },
  {
    kind: 'store',
    message: `${FRONTEND}.ResolveImageConfigRequest`,
    field: 'StoreID',
    reason: 'a name that the client gives its OCI layout for one build',
    source: 'frontend/gateway/grpcclient/client.go',
  },
  {
    kind: 'session',
    message: 'moby.buildkit.v1.SolveRequest',
    field: 'SourcePolicySession',
    reason: 'names the session that decides about sources',
    source: 'client/solve.go',
  },
  {
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

/** Error details that say nothing about the build: the pid, arguments and version of whichever process failed (util/stack/stack.go). */
export const VOLATILE_DETAILS: ReadonlySet<string> = new Set(['github.com/moby/buildkit/stack.Stack+json']);

const byField = new Map<string, VolatileRule[]>();
for (const rule of VOLATILE_RULES) {
  const name = `${rule.message}.${rule.field}`;
  byField.set(name, [...(byField.get(name) ?? []), rule]);
}

const keyMatches = (rule: VolatileRule, key: string | undefined): boolean =>
  rule.key === undefined || (rule.key.endsWith('*') ? (key?.startsWith(rule.key.slice(0, -1)) ?? false) : rule.key === key);

/** The rules for a field, and for a map's entry under a key. */
export function rulesFor(message: string, field: string, key: string | undefined): readonly VolatileRule[] {
  return byField.get(`${message}.${field}`)?.filter((rule) => keyMatches(rule, key)) ?? [];
}

const EVERYWHERE: readonly VolatileRule[] = byField.get('*.*') ?? [];

/** The stand-in for a volatile value or for an id that the message itself defines. */
export const placeholder = (kind: VolatileKind | DefiningField['kind']): string => `⟨${kind}⟩`;

/**
 * Puts placeholders for what is volatile in a string, and reports each value that it took out.
 */
export function withoutVolatile(
  text: string,
  rules: readonly VolatileRule[],
  report: (kind: VolatileKind, value: string) => void,
): string {
  let result = text;
  for (const rule of [...rules, ...EVERYWHERE]) {
    if (!rule.pattern) {
      if (result !== '') report(rule.kind, result);
      return placeholder(rule.kind);
    }
    result = result.replace(rule.pattern, (match: string, group: unknown) => {
      const value = typeof group === 'string' ? group : match;
      report(rule.kind, value);
      return match.replace(value, placeholder(rule.kind));
    });
  }
  return result;
}
