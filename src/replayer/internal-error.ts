/** What a client is told when its call met a bug in bridgetape. */
export function internalError(error: unknown): string {
  return `bridgetape: internal error: ${error instanceof Error ? error.message : String(error)}`;
}
