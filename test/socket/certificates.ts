/**
 * Certificates for tests, made when they run: of any name and age, by an authority of their own (RFC 5280, in DER).
 */
import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';

export interface Identity {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface Issue {
  /** DNS names and IPv4 addresses. */
  readonly names?: readonly string[];
  readonly purpose?: 'server' | 'client';
  readonly from?: Date;
  readonly to?: Date;
  readonly keyType?: 'ec' | 'rsa';
}

export interface Authority {
  readonly certificate: string;
  issue(name: string, issue?: Issue): Identity;
}

const DAY = 24 * 60 * 60 * 1000;
const days = (count: number): Date => new Date(Date.now() + count * DAY);

export function authority(name: string): Authority {
  const { publicKey, privateKey } = newKey('ec');
  const certificate = signed({ subject: name, issuer: name, publicKey, from: days(-1), to: days(30), extensions: [BASIC_CONSTRAINTS_CA] }, privateKey);
  return {
    certificate,
    issue: (subject, { names = [], purpose = 'server', from = days(-1), to = days(30), keyType = 'ec' } = {}) => {
      const own = newKey(keyType);
      const extensions = [extendedKeyUsage(purpose), ...(names.length === 0 ? [] : [subjectAltName(names)])];
      return {
        certificate: signed({ subject, issuer: name, publicKey: own.publicKey, from, to, extensions }, privateKey),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

export interface IdentityPaths {
  readonly certificate: string;
  readonly key: string;
}

/** The files of one side, under the names that buildctl's --tlsdir knows. */
export function writeIdentity(folder: string, { certificate, key }: Identity, ca: string): IdentityPaths & { readonly folder: string; readonly authority: string } {
  mkdirSync(folder, { recursive: true });
  const paths = { folder, certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), authority: join(folder, 'ca.pem') };
  writeFileSync(paths.certificate, certificate);
  writeFileSync(paths.key, key, { mode: 0o600 });
  writeFileSync(paths.authority, ca);
  return paths;
}

function newKey(type: 'ec' | 'rsa'): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

interface Content {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly from: Date;
  readonly to: Date;
  readonly extensions: readonly Buffer[];
}

function signed({ subject, issuer, publicKey, from, to, extensions }: Content, by: KeyObject): string {
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const serial = randomBytes(8);
  serial.writeUInt8((serial.readUInt8() & 0x7f) | 0x40);
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    commonName(issuer),
    sequence(time(from), time(to)),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = createSign('sha256').update(body).sign(by);
  const lines = (sequence(body, algorithm, bits(signature)).toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
};
const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents);
const integer = (value: Uint8Array): Buffer => der(0x02, value);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bits = (value: Uint8Array): Buffer => der(0x03, Buffer.from([0]), value);
const octets = (value: Uint8Array): Buffer => der(0x04, value);
const time = (date: Date): Buffer => der(0x17, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '').slice(2)));
const commonName = (name: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
const critical = der(0x01, Buffer.from([0xff]));
const BASIC_CONSTRAINTS_CA = sequence(oid('551d13'), critical, octets(sequence(critical)));
const extendedKeyUsage = (purpose: 'server' | 'client'): Buffer => sequence(oid('551d25'), octets(sequence(oid(purpose === 'server' ? '2b06010505070301' : '2b06010505070302'))));
const subjectAltName = (names: readonly string[]): Buffer =>
  sequence(oid('551d11'), octets(sequence(...names.map((name) => (isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)))))));
