/**
 * URLs of BuildKit's connection helpers, and the command that each stands for. The URL is read as Go's net/url does,
 * and the commands are those of BuildKit (client/connhelper), so that what works for buildctl works here:
 * test/interop/helpers.test.ts holds the two side by side.
 */
import { isIPv6 } from 'node:net';

import { BridgetapeError } from '../errors.js';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

interface HelperUrl {
  /** undefined when none is named. */
  readonly user: string | undefined;
  readonly hasPassword: boolean;
  /** '' when none is named. */
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  /** The first value of a query's key, '' when it is not there. */
  readonly parameter: (key: string) => string;
}

/** What a helper makes of a URL: the command, or what is wrong with it. */
type Row = (url: HelperUrl) => Command | string;

const DIAL = ['buildctl', 'dial-stdio'];

const ROWS = {
  'docker-container': ({ host, parameter }) => {
    if (host === '') return 'it names no container';
    const context = parameter('context');
    return ['docker', ...(context === '' ? [] : [`--context=${context}`]), 'exec', '-i', host, ...DIAL];
  },
  'podman-container': ({ host }) => (host === '' ? 'it names no container' : ['podman', 'exec', '-i', host, ...DIAL]),
  'nerdctl-container': ({ host, parameter }) => {
    if (host === '') return 'it names no container';
    const namespace = parameter('namespace');
    return ['nerdctl', 'exec', ...(namespace === '' ? [] : ['--namespace', namespace]), '-i', host, ...DIAL];
  },
  'kube-pod': ({ host, parameter }) => {
    const [namespace, container] = [parameter('namespace'), parameter('container')];
    if (host === '') return 'it names no pod';
    const bad = [host, namespace, container].find((name) => name !== '' && !/^[-a-z0-9.]+$/.test(name));
    if (bad !== undefined) return `"${bad}" is no name that Kubernetes knows`;
    // What is not given is passed on as empty: kubectl takes its own then.
    return ['kubectl', `--context=${parameter('context')}`, `--namespace=${namespace}`, 'exec', `--container=${container}`, '-i', host, '--', ...DIAL];
  },
  ssh: ({ user, hasPassword, host, port, path, query, fragment }) => {
    if (hasPassword) return 'a password does not belong in it';
    if (host === '') return 'it names no host';
    if (query !== '' || fragment !== '') return 'it goes on behind the path';
    const [login, where] = [user === undefined || user === '' ? [] : ['-l', user], port === '' ? [] : ['-p', port]];
    return ['ssh', ...login, ...where, '--', host, 'buildctl', ...(path === '' ? [] : ['--addr', `unix://${path}`]), 'dial-stdio'];
  },
} as const satisfies Readonly<Record<string, Row>>;

export type HelperScheme = keyof typeof ROWS;

export function isHelperScheme(scheme: string): scheme is HelperScheme {
  return Object.hasOwn(ROWS, scheme);
}

const FORMS: Readonly<Record<HelperScheme, string>> = {
  'docker-container': 'docker-container://CONTAINER?context=CONTEXT',
  'podman-container': 'podman-container://CONTAINER',
  'nerdctl-container': 'nerdctl-container://CONTAINER?namespace=NAMESPACE',
  'kube-pod': 'kube-pod://POD?context=CONTEXT&namespace=NAMESPACE&container=CONTAINER',
  ssh: 'ssh://USER@HOST:PORT/path/to/socket',
};

/** @throws BridgetapeError `bad-address` */
export function helperCommand(scheme: HelperScheme, text: string): Command {
  const url = readUrl(text);
  const row: Row = ROWS[scheme];
  const command = typeof url === 'string' ? url : row(url);
  if (typeof command !== 'string' && !command.some((word) => word.includes('\0'))) return command;
  const why = typeof command === 'string' ? command : 'it holds a NUL byte';
  // A password is not said again.
  const shown = text.replace(/\/\/[^@/]*@/, '//…@');
  throw new BridgetapeError('bad-address', `Cannot use the address "${shown}": ${why}.`, `Write it as ${FORMS[scheme]}; what follows the name can be left out.`);
}

/** @returns what is wrong with it, where it is none */
function readUrl(text: string): HelperUrl | string {
  // eslint-disable-next-line no-control-regex -- that is what it looks for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'it holds a control character';
  const [, rest = '', fragment = ''] = /^[^:]*:\/\/([^#]*)#?(.*)$/.exec(text) ?? [];
  const [, authority = '', path = '', query = ''] = /^([^/?]*)([^?]*)\??(.*)$/.exec(rest) ?? [];
  const at = authority.lastIndexOf('@');
  const userinfo = at < 0 ? undefined : authority.slice(0, at);
  const [, user, password] = /^([^:]*)(:.*)?$/.exec(userinfo ?? '') ?? [];
  const [, bracketed, plain, port = ''] = /^(?:\[(.*)\]|([^:]*))(?::(\d*))?$/.exec(authority.slice(at + 1)) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return 'its host is not followed by a port';
  if (userinfo !== undefined && !/^[\w.~!$&'()*+,;=:%@-]*$/.test(userinfo)) return 'its user is none';
  // RFC 6874 has the zone of an IPv6 address behind an escaped percent sign; what is ASCII needs no escape else.
  if (/%(?!25|[89a-f])/i.test(host) || /[ \\^`{|}]/.test(host)) return 'its host is none';
  const decoded = [host, user ?? '', password ?? '', path, fragment].map(unescaped);
  if (decoded.includes(undefined)) return 'it has a % that is no escape';
  const [name = '', login, , socket = ''] = decoded;
  if (bracketed !== undefined && !isIPv6(name)) return 'what is in brackets is no IPv6 address';
  return {
    user: userinfo === undefined ? undefined : login,
    hasPassword: password !== undefined,
    host: name,
    port,
    path: socket,
    query,
    fragment,
    parameter: (key) => parameter(query, key),
  };
}

function parameter(query: string, key: string): string {
  for (const pair of query.split('&')) {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/.exec(pair) ?? [];
    // Go passes over a pair that it cannot read.
    if (pair.includes(';') || unescaped(plusless(name)) !== key) continue;
    const read = unescaped(plusless(value));
    if (read !== undefined) return read;
  }
  return '';
}

const plusless = (text: string): string => text.replaceAll('+', ' ');

/** undefined for an escape that is none, or of bytes that are no UTF-8 and so no argument that Node can pass on. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
