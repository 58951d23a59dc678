/** Why TLS failed, in words. Node tells it by OpenSSL's codes, some of them as errors and some as text. */
import type { TLSSocket } from 'node:tls';

const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate it shows has expired',
  CERT_NOT_YET_VALID: 'the certificate it shows is not valid yet',
  CERT_REVOKED: 'the certificate it shows is revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'no known authority signed the certificate it shows',
  SELF_SIGNED_CERT_IN_CHAIN: 'no known authority signed the certificate it shows',
  UNABLE_TO_GET_ISSUER_CERT: 'no known authority signed the certificate it shows',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no known authority signed the certificate it shows',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no known authority signed the certificate it shows',
  CERT_SIGNATURE_FAILURE: 'no known authority signed the certificate it shows',
  INVALID_PURPOSE: 'the certificate it shows is not made for this side of a connection',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate it shows is for another name',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it showed no certificate',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a certificate',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know the authority that signed our certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'it says that our certificate has expired',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it does not take our certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'it does not take our certificate',
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'it does not take our certificate',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'it does not speak HTTP/2',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'it asks for another protocol than HTTP/2',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_HTTP_REQUEST: 'it does not speak TLS',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'it took too long over the handshake',
  ECONNRESET: 'it went away during the handshake, as one does that does not take our certificate',
};

/** Of what OpenSSL says, the part that says something: `tlsv1 alert internal error`. */
const OPENSSL = /SSL routines:[^:]*:([^:]+)/;

/** Whether TLS is to blame for an error, rather than the network under it. */
export function isTlsError(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return OPENSSL.test(error.message) || (code in REASONS && code !== 'ECONNRESET');
}

export function tlsReason(error: unknown): string {
  if (!(error instanceof Error)) return REASONS[String(error)] ?? String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS[code] ?? OPENSSL.exec(error.message)?.[1] ?? error.message;
}

/** Node leaves a TLS socket open when an error comes after the handshake, with writes that never end: an alert, say. */
export function closeOnError(stream: TLSSocket): void {
  stream.on('error', () => stream.destroy());
}
