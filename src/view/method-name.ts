/** `LLBBridge/Solve` of `/moby.buildkit.v1.frontend.LLBBridge/Solve`; a path of another shape stays as it is. */
export function shortMethod(path: string): string {
  const slash = path.lastIndexOf('/');
  return path.slice(Math.max(path.lastIndexOf('.', slash), path.startsWith('/') ? 0 : -1) + 1);
}
