/** What to say when the daemon cannot be reached or is lost. */
import { BridgetapeError } from '../errors.js';
import { formatAddress, isTlsError, tlsReason, type Address } from '../socket/index.js';

/** The daemon could not be dialled. */
export function unreachable(address: Address, cause: Error): BridgetapeError {
  return described(address, cause, `Cannot reach BuildKit at ${formatAddress(address)}`, 'Start buildkitd there, or name its address with --to or BUILDKIT_HOST.');
}

/** The daemon was reached, and then went away. */
export function lost(address: Address, cause: Error): BridgetapeError {
  return described(address, cause, `Lost the connection to BuildKit at ${formatAddress(address)}`, "Look at the daemon's log.");
}

function described(address: Address, cause: Error, what: string, hint: string): BridgetapeError {
  // A connection helper's own words say more.
  if (cause instanceof BridgetapeError) return cause;
  if (!isTlsError(cause)) return new BridgetapeError('upstream-unreachable', `${what}: ${cause.message}.`, hint, { cause });
  return new BridgetapeError('upstream-unreachable', `${what}: ${tlsReason(cause)}${details(cause)}.`, TLS_HINT, { cause });
}

const TLS_HINT = 'buildctl has to take the same --tlscacert, --tlscert, --tlskey and --tlsservername; look there what does not fit.';

/** Node names the names that a certificate is for. */
function details(cause: Error): string {
  return 'code' in cause && cause.code === 'ERR_TLS_CERT_ALTNAME_INVALID' && 'reason' in cause ? ` (${String(cause.reason)})` : '';
}
