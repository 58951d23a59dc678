/** `--daemon NAME=ADDRESS`: the daemons to compare, as they are written. Everything that can be known to be wrong is told here. */
import { programPath } from '../command/index.js';
import { BridgetapeError } from '../errors.js';
import { findRunc } from '../runtime/index.js';
import { formatAddress, parseAddress, tlsClient, type Address, type TlsClientOptions } from '../socket/index.js';

/** A daemon that runs, or a program of one that is started for the comparison. */
export type DaemonSpec = { readonly name: string } & ({ readonly kind: 'running'; readonly address: Address; readonly tls: TlsClientOptions } | { readonly kind: 'program'; readonly path: string });

/** It names files, and heads lines. */
const NAME = /^[A-Za-z0-9][\w.+-]{0,63}$/;
const PROGRAM = 'exec:';
const FORM = 'Write it as --daemon NAME=ADDRESS or --daemon NAME=exec:PATH, such as --daemon old=unix:///run/buildkit/buildkitd.sock';
/** More are a list of numbers, and no comparison that anybody reads. */
const MAX_DAEMONS = 32;

/**
 * @param tls holds for every daemon at tcp://
 * @throws BridgetapeError `bad-argument`, `bad-address`, `command-not-found`
 */
export async function daemonSpecs(texts: readonly string[], tls: TlsClientOptions): Promise<readonly DaemonSpec[]> {
  if (texts.length < 2) throw new BridgetapeError('bad-argument', `A comparison needs two daemons, and ${texts.length === 0 ? 'none was' : 'one was'} named.`, FORM);
  if (texts.length > MAX_DAEMONS) throw new BridgetapeError('bad-argument', `${texts.length} daemons are too many: ${MAX_DAEMONS} can be compared at once.`, 'Compare some of them.');
  const specs = texts.map((text) => parseDaemon(text, tls));
  const twice = specs.find(({ name }, index) => specs.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new BridgetapeError('bad-argument', `Two daemons are called "${twice.name}".`, 'Give each a name of its own.');
  if (Object.values(tls).some((value) => value !== undefined) && !specs.some(isTcp)) {
    throw new BridgetapeError('bad-argument', 'Only a daemon at tcp:// is spoken to with TLS, and none is there.', 'Leave out --tlscacert, --tlscert, --tlskey, --tlsservername and --tlsdir.');
  }
  for (const spec of specs) {
    if (spec.kind === 'running') await tlsClient(spec.address, spec.tls);
    else checkProgram(spec.path, spec.name);
  }
  return specs;
}

function parseDaemon(text: string, tls: TlsClientOptions): DaemonSpec {
  const at = text.indexOf('=');
  const [name, where] = at === -1 ? ['', text] : [text.slice(0, at), text.slice(at + 1)];
  if (!NAME.test(name)) throw new BridgetapeError('bad-argument', `--daemon got "${text}", which has ${at === -1 ? 'no name' : `no name of letters, digits and . _ + -`} before its address.`, FORM);
  if (where.startsWith(PROGRAM)) return { name, kind: 'program', path: where.slice(PROGRAM.length) };
  const address = parseAddress(where);
  if (address.kind === 'helper' && programPath(address.command[0]) === undefined) {
    throw new BridgetapeError('bad-address', `Cannot reach ${formatAddress(address)} of --daemon ${name}: there is no program "${address.command[0]}" here.`, 'Install it, or look at PATH.');
  }
  return { name, kind: 'running', address, tls: address.kind === 'tcp' ? tls : {} };
}

const isTcp = (spec: DaemonSpec): boolean => spec.kind === 'running' && spec.address.kind === 'tcp';

/** What starting a buildkitd takes: Linux, root, the program, and what it needs itself. */
function checkProgram(path: string, name: string): void {
  const cannot = (why: string, hint: string): BridgetapeError => new BridgetapeError('bad-argument', `Cannot start the buildkitd of --daemon ${name}: ${why}.`, hint);
  if (process.platform !== 'linux') throw cannot(`it needs Linux, and this is ${process.platform}`, 'Name the address of one that runs elsewhere.');
  if (process.getuid?.() !== 0) throw cannot('that needs root', 'Run it as root, or name the address of a daemon that runs.');
  if (path === '' || programPath(path) === undefined) throw cannot(`there is no program "${path}"`, 'Name a buildkitd that can be run: exec:/usr/local/bin/buildkitd');
  if (programPath('unshare') === undefined) throw cannot('there is no unshare, which keeps its processes and mounts apart', 'Install util-linux, or name the address of a daemon that runs.');
  try {
    findRunc(undefined);
  } catch {
    throw cannot('there is no runc on PATH, which it runs builds with', 'Install runc, or name the address of a daemon that runs.');
  }
}
