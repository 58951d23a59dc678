/** Which fields may enter an HPACK table, going by their names; values and sizes are the encoder's to judge. */

/**
 * How a field that no table holds is written: `indexed` enters the table (RFC 7541 §6.2.1); `plain` does not
 * (§6.2.2); `never` does not either, and says that nobody on the way may put it into one (§6.2.3).
 */
export type Treatment = 'indexed' | 'plain' | 'never';

interface Rule {
  readonly treatment: Treatment;
  readonly names: RegExp;
}

/** The first that fits; what none fits comes again as it was, and is indexed. */
const RULES: readonly Rule[] = [
  // Secrets can be guessed from how well they compress beside guesses (RFC 7541 §7.1).
  { treatment: 'never', names: /^(authorization|proxy-authorization|cookie|set-cookie)$/ },
  // x-registry-auth, x-auth-token, x-api-key. A name that only sounds like one of these costs some octets.
  {
    treatment: 'never',
    names: /(^|[-_.])(auth|authorization|tokens?|secrets?|password|passwd|credentials?|jwt|apikey|(api|access|private)[-_]?key)($|[-_.])/,
  },
  // Different each time: an entry would only push out one that comes again.
  { treatment: 'plain', names: /^(grpc-message|content-length|date|etag|last-modified|age|traceparent|x-request-id)$/ },
  // The same: grpc-status-details-bin, grpc-trace-bin.
  { treatment: 'plain', names: /-bin$/ },
];

export function treatmentOf(name: string): Treatment {
  return RULES.find(({ names }) => names.test(name))?.treatment ?? 'indexed';
}
