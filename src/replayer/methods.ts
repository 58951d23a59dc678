/** The methods that the replayer treats in a way of their own. */
export const CONTROL = '/moby.buildkit.v1.Control/';
export const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge/';
export const SOLVE = `${CONTROL}Solve`;
export const STATUS = `${CONTROL}Status`;
export const SESSION = `${CONTROL}Session`;
export const PING = `${BRIDGE}Ping`;
export const RETURN = `${BRIDGE}Return`;
export const EXEC_PROCESS = `${BRIDGE}ExecProcess`;
export const NEW_CONTAINER = `${BRIDGE}NewContainer`;
export const RELEASE_CONTAINER = `${BRIDGE}ReleaseContainer`;

/**
 * Requests of plain fields, written one after the other: two that mean the same have the same bytes. Definitions,
 * maps and volatile values can be written in several ways.
 */
const WRITTEN_ONE_WAY: ReadonlySet<string> = new Set(
  ['Ping', 'ReadFile', 'ReadDir', 'StatFile', 'ReadFileContainer', 'ReadDirContainer', 'StatFileContainer', 'ReleaseContainer'].map((name) => BRIDGE + name),
);

export function isWrittenOneWay(path: string): boolean {
  return WRITTEN_ONE_WAY.has(path);
}

/** Requests that introduce an id, which has to be bound even when it is the recorded one. */
export function introducesId(path: string): boolean {
  return path === NEW_CONTAINER;
}

/** `LLBBridge/ReadFile` of `/moby.buildkit.v1.frontend.LLBBridge/ReadFile` */
export function shortName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
