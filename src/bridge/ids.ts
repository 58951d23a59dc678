/** The ids that a client makes up, found in headers and requests, and replaced in recorded bytes. */
import { headerText, type Header } from './header.js';
import { booleanField, mapField, messageField, repeatedMessages, stringField, tryDecode, type Message } from './message.js';
import { BRIDGE, SOLVE, STATUS } from './methods.js';
import { WireFormatError } from './wire-format.js';

/** The build that an LLBBridge call belongs to: the Ref of a Control/Solve (client/build.go). */
export function buildIdOf(headers: readonly Header[]): string | undefined {
  return headerText(headers, 'buildkit-controlapi-buildid');
}

/** The session that a Control/Session call opens (session/grpchijack/dial.go). */
export function sessionIdOf(headers: readonly Header[]): string | undefined {
  return headerText(headers, 'x-docker-expose-session-uuid');
}

/** What a Control/Solve request says about its build. */
export interface SolveFacts {
  /** The build's id; calls of LLBBridge carry it as their build id. */
  readonly ref: string;
  readonly session: string;
  /** '' when a definition is to be solved, or when the client builds by itself over LLBBridge. */
  readonly frontend: string;
  readonly hasDefinition: boolean;
  /** Kept out of the build history. */
  readonly internal: boolean;
  /** The exporters' types, such as image or local. */
  readonly exporters: readonly string[];
  /** What the frontend is given, or the client's own build function. */
  readonly options: readonly (readonly [key: string, value: string])[];
}

function decoded(typeName: string, payload: Uint8Array): Message | undefined {
  const message = tryDecode(typeName, payload);
  return message instanceof WireFormatError ? undefined : message;
}

function exportersOf(message: Message): readonly string[] {
  const exporters = repeatedMessages(message, 'Exporters').map((exporter) => stringField(exporter, 'Type'));
  const first = stringField(message, 'ExporterDeprecated');
  return exporters.length > 0 || first === '' ? exporters : [first];
}

/** Reads a Control/Solve request; undefined when it can't be decoded. */
export function solveFacts(payload: Uint8Array): SolveFacts | undefined {
  const message = decoded('moby.buildkit.v1.SolveRequest', payload);
  return (
    message && {
      ref: stringField(message, 'Ref'),
      session: stringField(message, 'Session'),
      frontend: stringField(message, 'Frontend'),
      hasDefinition: messageField(message, 'Definition') !== undefined,
      internal: booleanField(message, 'Internal'),
      exporters: exportersOf(message),
      options: mapField(message, 'FrontendAttrs').flatMap(({ key, value }) => (typeof key === 'string' && typeof value === 'string' ? [[key, value]] : [])),
    }
  );
}

/**
 * The build that a call belongs to, as a recording tells: by its id; by its connection, as a number, when a frontend on stdio
 * made it, which names no build.
 *
 * @param request the client's first message
 * @returns undefined when it belongs to none
 */
export function buildOfCall({ path, connection, buildId }: CallOrigin, request: () => Uint8Array | undefined): string | number | undefined {
  if (path.startsWith(BRIDGE)) return buildId ?? connection;
  if (path !== SOLVE && path !== STATUS) return undefined;
  const asked = request();
  if (asked === undefined) return undefined;
  return path === SOLVE ? solveFacts(asked)?.ref : statusRef(asked);
}

/** What is known of a call without its messages. */
export interface CallOrigin {
  readonly path: string;
  readonly connection: number | undefined;
  /** As {@link buildIdOf} has it. */
  readonly buildId: string | undefined;
}

/** The build that a Control/Status request asks about; undefined when it can't be decoded. */
export function statusRef(payload: Uint8Array): string | undefined {
  const message = decoded('moby.buildkit.v1.StatusRequest', payload);
  return message && stringField(message, 'Ref');
}
