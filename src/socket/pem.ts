/** Certificates and keys in PEM files: what can be known to be wrong with them is known before anybody connects. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

import { BridgetapeError } from '../errors.js';

/** All public authorities together, as Debian has them, are 0.2 MiB. */
const MAX_PEM_BYTES = 4 * 1024 * 1024;

/** A certificate and its key: the paths, and the options that named them. */
export interface IdentityFiles {
  readonly certificate: string;
  readonly key: string;
  readonly options: { readonly certificate: string; readonly key: string };
}

/** What node:tls takes. The key is in memory only: nothing here says a word of it. */
export interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** @throws BridgetapeError `bad-argument` */
export function readIdentity({ certificate, key, options }: IdentityFiles): Identity {
  const identity = { cert: readPem(certificate, options.certificate), key: readPem(key, options.key) };
  const first = readCertificate(identity.cert, certificate, options.certificate);
  if (!first.checkPrivateKey(readKey(identity.key, key, options.key))) {
    throw new BridgetapeError('bad-argument', `The key in ${key} does not belong to the certificate in ${certificate}.`, `Name files that belong together with ${options.certificate} and ${options.key}.`);
  }
  const now = Date.now();
  if (Date.parse(first.validTo) < now) throw untimely(certificate, `expired at ${first.validTo}`);
  if (Date.parse(first.validFrom) > now) throw untimely(certificate, `is not valid before ${first.validFrom}`);
  return identity;
}

/** @throws BridgetapeError `bad-argument` */
export function readAuthority(path: string, option: string): Buffer {
  const pem = readPem(path, option);
  readCertificate(pem, path, option);
  return pem;
}

function untimely(path: string, what: string): BridgetapeError {
  return new BridgetapeError('bad-argument', `The certificate in ${path} ${what}, so nobody would take it.`, "Name another one, or set this machine's clock.");
}

function readCertificate(pem: Buffer, path: string, option: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new BridgetapeError('bad-argument', `There is no certificate in ${path} of ${option}.`, 'Name a PEM file with a BEGIN CERTIFICATE in it.', { cause: error });
  }
}

function readKey(pem: Buffer, path: string, option: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const encrypted = error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE';
    const what = encrypted ? `The key in ${path} of ${option} is encrypted, and nobody is asked for its passphrase.` : `There is no private key in ${path} of ${option}.`;
    throw new BridgetapeError('bad-argument', what, encrypted ? 'Name a key that is not.' : 'Name a PEM file with a BEGIN PRIVATE KEY in it.', { cause: error });
  }
}

function readPem(path: string, option: string): Buffer {
  try {
    const buffer = Buffer.alloc(MAX_PEM_BYTES + 1);
    const file = openSync(path, 'r');
    try {
      let length = 0;
      // Pipes, which shells make of <(…), give a piece at a time.
      for (let read = -1; read !== 0 && length <= MAX_PEM_BYTES; length += read) read = readSync(file, buffer, length, buffer.length - length, null);
      if (length > MAX_PEM_BYTES) throw new Error(`it has more than ${MAX_PEM_BYTES} bytes`);
      return Buffer.from(buffer.subarray(0, length));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BridgetapeError('bad-argument', `Cannot read ${path} of ${option}: ${why}.`, 'Name a PEM file that you may read.', { cause: error });
  }
}
