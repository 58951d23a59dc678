/**
 * What of a Docker Engine's traffic is kept. Its API carries credentials of registries, build arguments, environments
 * and files; a replay needs next to nothing of it. So the rules name what stays, and everything else is left out.
 */
import type { HeaderField, Http1Request, Http1Response } from '../wire/index.js';

/** Stands where a value was. */
export const REDACTED = '(redacted)';

/** Header fields whose values stay. X-Registry-Auth, X-Registry-Config, Authorization, cookies, … are not among them. */
const KEPT_FIELDS: ReadonlySet<string> = new Set([
  // How the connection and the message are to be read.
  ...['host', 'connection', 'upgrade', 'keep-alive', 'content-length', 'transfer-encoding', 'te', 'trailer', 'expect'],
  // What the content is.
  ...['content-type', 'content-encoding', 'accept', 'accept-encoding', 'cache-control', 'pragma', 'date'],
  // Who speaks, and which version; clients read these off `_ping`.
  ...['user-agent', 'server', 'api-version', 'builder-version', 'docker-experimental', 'ostype', 'swarm'],
  // The session of a build: its id ties it to the build, the rest says what it offers (buildkit session/session.go).
  ...['x-docker-expose-session-uuid', 'x-docker-expose-session-name', 'x-docker-expose-session-sharedkey', 'x-docker-expose-session-grpc-method'],
  // Random ids.
  'traceparent',
]);

/** Query parameters whose values stay: flags, counts, ids and names. `buildargs`, `labels`, `remote`, `filters`, … do not. */
const KEPT_PARAMETERS: ReadonlySet<string> = new Set([
  // Lists.
  ...['all', 'limit', 'size', 'digests', 'shared-size', 'manifests', 'verbose', 'type'],
  // Streams of logs, events, statistics, and attached ones.
  ...['follow', 'stream', 'stdin', 'stdout', 'stderr', 'logs', 'since', 'until', 'tail', 'timestamps', 'details', 'one-shot'],
  // What is done to containers and images.
  ...['h', 'w', 'signal', 't', 'v', 'link', 'force', 'noprune', 'condition', 'name', 'repo', 'tag', 'platform', 'container', 'pause'],
  // A build by the engine's own API, but for what it is given.
  ...['version', 'buildid', 'session', 'dockerfile', 'q', 'nocache', 'pull', 'rm', 'forcerm', 'networkmode', 'squash', 'target', 'shmsize', 'ulimits'],
  ...['memory', 'memswap', 'cpushares', 'cpuperiod', 'cpuquota', 'cpusetcpus', 'cpusetmems', 'id', 'keep-storage'],
]);

/** The engine's answers whose content is kept, since a replay has to give them again; by their path without a version. */
const KEPT_ANSWERS: ReadonlySet<string> = new Set(['/_ping', '/version', '/info']);

/** Members of those answers of which no text is kept. */
const MASKED_MEMBERS: readonly RegExp[] = [
  // Proxies are written with user and password.
  /^(http|https|no)proxy$/i,
  // URLs of registries' mirrors can hold tokens.
  /^mirrors$/i,
  // Whatever the engine's owner wrote there.
  /^labels$/i,
  /^(runtimeargs|args|options|env)$/i,
  // Whatever is named for what it is.
  /auth|token|secret|passw|credential|cookie|(api|private)[-_]?key/i,
];
/** A URL with a user, and perhaps a password, in it. */
const URL_WITH_USER = /:\/\/[^/\s"@]*@/;

/** Deeper JSON is not kept. */
const MAX_DEPTH = 32;

/** The path of a request without the API's version and its query: `/info` of `/v1.41/info?x=y`. */
export function enginePath(target: string): string {
  return /^(?:\/v\d+(?:\.\d+)*)?(\/[^?]*)/.exec(target)?.[1] ?? target;
}

/** The fields with the values that may be kept. */
export function keptFields(fields: readonly HeaderField[]): readonly HeaderField[] {
  return fields.map((field) => (KEPT_FIELDS.has(field.name) ? field : { name: field.name, value: Buffer.from(REDACTED) }));
}

/** The request target with the values that may be kept. */
export function keptTarget(target: string): string {
  const [path = '', ...query] = target.split('?');
  const shown = path.replace(/:\/\/[^/]*@/, `://${REDACTED}@`);
  return query.length === 0 ? shown : `${shown}?${query.join('?').split('&').map(keptParameter).join('&')}`;
}

function keptParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  const name = equals === -1 ? parameter : parameter.slice(0, equals);
  if (KEPT_PARAMETERS.has(name)) return parameter;
  // Without a value the name is one.
  return equals === -1 ? REDACTED : `${name}=${REDACTED}`;
}

/** Whether an answer's content can be kept, as far as its head says. */
export function keepsAnswer(request: Http1Request, response: Http1Response): boolean {
  const isEncoded = response.fields.some(({ name }) => name === 'content-encoding');
  return request.method === 'GET' && response.status === 200 && !isEncoded && KEPT_ANSWERS.has(enginePath(request.target));
}

/**
 * The content of such an answer as it may be kept: every octet of a secret is an `x`, so that its length is still the
 * one that crossed.
 *
 * @returns undefined for content that is none of those that are known
 */
export function keptAnswer(content: Uint8Array): Uint8Array | undefined {
  if (Buffer.from(content).toString('latin1') === 'OK') return content;
  try {
    JSON.parse(Buffer.from(content).toString('utf8'));
  } catch {
    return undefined;
  }
  const masked = Uint8Array.from(content);
  return new Masker(masked).mask() ? masked : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const CURLY = 0x7b;
const COLON = 0x3a;
const COMMA = 0x2c;
const X = 0x78;

/** Walks through JSON that is known to be well-formed, and masks texts where they stand. */
class Masker {
  /** The containers around the walk: whether each is an object, and whether all in it is masked. */
  private readonly around: { readonly isObject: boolean; readonly masked: boolean }[] = [];
  private expectsName = false;
  private name = '';

  constructor(private readonly bytes: Uint8Array) {}

  /** @returns false when it is nested too deeply to be known */
  mask(): boolean {
    for (let at = 0; at < this.bytes.length; at += 1) {
      const octet = this.bytes[at] ?? 0;
      if (octet === QUOTE) {
        at = this.text(at + 1);
      } else if (OPENING.has(octet)) {
        if (this.around.length >= MAX_DEPTH) return false;
        this.around.push({ isObject: octet === CURLY, masked: this.isMasked });
        this.expectsName = octet === CURLY;
        this.name = '';
      } else if (CLOSING.has(octet)) {
        this.around.pop();
      } else if (octet === COLON) {
        this.expectsName = false;
      } else if (octet === COMMA) {
        this.expectsName = this.around.at(-1)?.isObject === true;
        if (this.expectsName) this.name = '';
      }
    }
    return true;
  }

  /** Whether what comes next is within something that is masked. */
  private get isMasked(): boolean {
    return this.around.at(-1)?.masked === true || MASKED_MEMBERS.some((member) => member.test(this.name));
  }

  /** @returns the index of the closing quote */
  private text(from: number): number {
    let to = from;
    while (this.bytes[to] !== QUOTE && to < this.bytes.length) to += this.bytes[to] === BACKSLASH ? 2 : 1;
    const written = Buffer.from(this.bytes.subarray(from, to)).toString('utf8');
    if (this.expectsName) this.name = String(JSON.parse(`"${written}"`));
    else if (this.isMasked || URL_WITH_USER.test(String(JSON.parse(`"${written}"`)))) this.bytes.fill(X, from, to);
    return to;
  }
}
