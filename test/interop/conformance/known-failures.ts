/**
 * The cases of public programs that do not hold here, each with the reason. A test fails for a case that fails and is
 * not listed, and for one that is listed and does not fail any more: this list only says what is so.
 */

export interface KnownFailure {
  /** As the test that runs the program calls it. */
  readonly run: string;
  readonly cases: readonly string[];
  readonly reason: string;
}

const KNOWN: readonly KnownFailure[] = [
  {
    run: 'h2spec, against a replay',
    cases: [
      'generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream',
      'generic/2: Sends a PRIORITY frame on half-closed (remote) stream',
      'http2/5.1.2: Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded',
      'http2/6.5.3: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE',
      'http2/6.9.1: Sends SETTINGS frame to set the initial window size to 1 and sends HEADERS frame',
      'http2/6.9.2: Changes SETTINGS_INITIAL_WINDOW_SIZE after sending HEADERS frame',
      'http2/6.9.2: Sends a SETTINGS frame for window size to be negative',
    ],
    reason: 'these look at the content of an answer, or hold its stream open by it; h2spec sends no gRPC, so a replay answers with 415 and no content. The server of src/wire passes them',
  },
  ...['too many requests', 'no request'].map((round) => ({
    run: `Connect's runner, grpc-go with identity, ${round}`,
    cases: ['unary', 'server-stream'].map((kind) => `gRPC Unexpected Requests/${kind}/${round === 'no request' ? 'no-request' : 'multiple-requests'}`),
    reason: "grpc-go's server answers these with INTERNAL where the runner wants UNIMPLEMENTED (its own list for grpc-go has them), and so it was recorded. connect-go's are replayed as the runner wants them",
  })),
];

/** What differs from the list: nothing, when a run went as it says. */
export function unexpected(run: string, failed: readonly string[]): { readonly failing: readonly string[]; readonly passing: readonly string[] } {
  const known = KNOWN.filter((one) => one.run === run).flatMap(({ cases }) => cases);
  return { failing: failed.filter((name) => !known.includes(name)), passing: known.filter((name) => !failed.includes(name)) };
}

export const AS_LISTED = { failing: [], passing: [] };
