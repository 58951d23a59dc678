/** The methods of BuildKit that mean something to this project, by their `:path`; proto/ has them all. */
export const CONTROL = '/moby.buildkit.v1.Control/';
export const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge/';
export const SOLVE = `${CONTROL}Solve`;
export const STATUS = `${CONTROL}Status`;
export const SESSION = `${CONTROL}Session`;
/** Solve of the bridge: a step of a build, where {@link SOLVE} is the build. */
export const BRIDGE_SOLVE = `${BRIDGE}Solve`;
export const PING = `${BRIDGE}Ping`;
export const RETURN = `${BRIDGE}Return`;
export const READ_FILE = `${BRIDGE}ReadFile`;
export const STAT_FILE = `${BRIDGE}StatFile`;
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

/** `moby.buildkit.v1.frontend.LLBBridge` of `/moby.buildkit.v1.frontend.LLBBridge/Solve`. */
export function serviceOf(path: string): string {
  return path.slice(1, Math.max(1, path.lastIndexOf('/')));
}

/** `LLBBridge/Solve` of `/moby.buildkit.v1.frontend.LLBBridge/Solve`; a path of another shape stays as it is. */
export function shortMethod(path: string): string {
  const slash = path.lastIndexOf('/');
  return path.slice(Math.max(path.lastIndexOf('.', slash), path.startsWith('/') ? 0 : -1) + 1);
}
