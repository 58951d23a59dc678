/** Why the recordings of one version differ from those of the version before: a row for each thing that changed. */

/**
 * `api`: it is in the history of gateway.proto, with the version that brought it. `find`: nothing says so but the
 * recordings. `setup`: it comes of how they were made.
 */
export type Kind = 'api' | 'find' | 'setup';

export interface Explanation {
  /** The version in whose recordings it is seen first; left out: in each. */
  readonly in?: string;
  readonly kind: Kind;
  /** Some part of the change's line (lineOf in changes.ts). */
  readonly pattern: RegExp;
  /** What changed. */
  readonly what: string;
  readonly why: string;
}

export const EXPLANATIONS: readonly Explanation[] = [
  {
    in: 'v0.11.6',
    kind: 'api',
    pattern: /Ping \| FrontendAPICaps/,
    what: 'capabilities of the bridge',
    why: 'Warn, Signal and extraHosts came with v0.10; Evaluate and attestations with v0.11. A client looks here before it uses them',
  },
  { in: 'v0.13.2', kind: 'api', pattern: /Ping \| FrontendAPICaps/, what: 'capabilities of the bridge', why: 'secrets in the environment of a process came with v0.12, ResolveSourceMeta with v0.13' },
  {
    in: 'v0.32.2',
    kind: 'api',
    pattern: /Ping \| FrontendAPICaps/,
    what: 'capabilities of the bridge',
    why: 'files of a running container can be read from v0.27 on; checksums and attestations of sources came with v0.26 to v0.28',
  },
  { kind: 'find', pattern: /Ping \| LLBCaps/, what: 'capabilities of LLB', why: 'what ops may say, by name; a client looks here before it uses it' },
  { in: 'v0.11.6', kind: 'find', pattern: /Ping \| Workers\[0\]/, what: 'the worker', why: 'it tells of its network, process mode and SELinux, and of the variants of amd64 that the processor runs' },

  // How the frontend is run.
  {
    in: 'v0.11.6',
    kind: 'api',
    pattern: /^environment \| frontend \| files\["\/run\/config\/buildkit\/metadata\/frontend\.bin"\].* \| ∅ →/,
    what: "the frontend's metadata folder",
    why: 'from v0.10 on the definition of the frontend itself is mounted at /run/config/buildkit/metadata/frontend.bin',
  },
  { kind: 'setup', pattern: /^environment \| frontend \| source docker-image:.*source\.identifier/, what: "the frontend's image", why: 'each version has its own, and frontend.bin names it by its digest' },
  { in: 'v0.11.6', kind: 'find', pattern: /^environment \| frontend \| additionalGids/, what: "the frontend's groups", why: 'its own group is among the additional ones as well' },

  // What the Dockerfile frontend asks for.
  { in: 'v0.11.6', kind: 'find', pattern: /local\.differ/, what: 'how the Dockerfile is fetched', why: 'the frontend asks that the Dockerfile and .dockerignore are fetched without comparing their metadata' },
  { in: 'v0.11.6', kind: 'find', pattern: /removeMountStubsRecursive/, what: 'mount points of RUN', why: 'exec ops ask for folders that were made only to mount something there to be removed, with those above them' },
  { in: 'v0.11.6', kind: 'find', pattern: /refs\.platforms/, what: 'platforms of a result', why: 'the Dockerfile frontend names them in the metadata of what it returns' },
  { in: 'v0.13.2', kind: 'find', pattern: /(COPY|mkfile|file).* · platform \|/, what: 'platforms of COPY', why: 'file ops have none any more' },
  { in: 'v0.13.2', kind: 'find', pattern: /language/, what: 'the language of a source', why: 'a source map says in which language its file is written' },
  { in: 'v0.17.3', kind: 'find', pattern: /history\[\d\]\.created_by \| "ARG/, what: "ARG in the image's history", why: 'the value that was used stands there, not the default' },

  // Calls that came with a version.
  { in: 'v0.11.6', kind: 'api', pattern: /LLBBridge\/(StatFile \. \| call|Evaluate \| )/, what: 'Evaluate', why: 'it came with v0.11; before it the client makes a lazy result be solved with a StatFile' },
  { in: 'v0.11.6', kind: 'api', pattern: /LLBBridge\/Warn/, what: 'Warn', why: 'it came with v0.10; v0.8.3 answers UNIMPLEMENTED, and the client sends none where the capability is missing' },
  { in: 'v0.11.6', kind: 'api', pattern: /extraHosts|grep friend/, what: 'hosts of a container', why: 'NewContainerRequest.extraHosts came with v0.10' },
  { in: 'v0.11.6', kind: 'api', pattern: /^exec .*trap 'echo got HUP'/, what: 'signals to a process', why: 'ExecMessage.Signal came with v0.10' },
  { in: 'v0.11.6', kind: 'api', pattern: /^order \| LLBBridge\/(NewContainer|ReleaseContainer)/, what: 'two containers more', why: 'they are for the hosts and the signals, which the client does not try where the capability is missing' },
  { in: 'v0.11.6', kind: 'api', pattern: /Return \| (result\.attestations|mkfile \/other)/, what: 'attestations of a result', why: 'Result.attestations came with v0.11' },
  { in: 'v0.13.2', kind: 'api', pattern: /^exec .*echo greeting is \$GREETING/, what: 'secrets in the environment of a process', why: 'InitMessage.secretenv came with v0.12' },
  { in: 'v0.13.2', kind: 'api', pattern: /^exec .*buildkitsandbox/s, what: 'the name of a container', why: 'NewContainerRequest.hostname came with v0.12; before it every container is called buildkitsandbox' },
  { in: 'v0.13.2', kind: 'api', pattern: /LLBBridge\/ResolveSourceMeta/, what: 'ResolveSourceMeta', why: 'it came with v0.13; before it the answer is UNIMPLEMENTED' },
  {
    in: 'v0.32.2',
    kind: 'api',
    pattern: /(ReadFile|ReadDir|StatFile)Container|^order \| LLBBridge\/(New|Release)Container|^exec .* · process \|/,
    what: 'files of a running container',
    why: 'ReadFileContainer, ReadDirContainer and StatFileContainer came with v0.27; the container that the client asks is made only where it can',
  },

  // Errors.
  { in: 'v0.11.6', kind: 'find', pattern: /executor failed running/, what: 'the message of a process that failed', why: 'it is worded anew' },
  { in: 'v0.11.6', kind: 'find', pattern: /ExitMessage\+json|value\["Code"\] \| ∅ →/, what: 'exit codes in errors', why: 'a detail of the status has the code, where before only the message told of it' },
  { in: 'v0.11.6', kind: 'find', pattern: /failed to calculate checksum of ref/, what: 'the message of a COPY of nothing', why: 'it names the ref' },
  { in: 'v0.11.6', kind: 'find', pattern: /dockerfile parse error/, what: 'the message of a syntax error', why: 'it is worded anew, and not wrapped' },
  {
    in: 'v0.11.6',
    kind: 'find',
    pattern: /echo oh no; exit 9|^order \| LLBBridge\/ReadFile \/greeting/,
    what: 'a frontend within a frontend that is to be evaluated',
    why: 'Evaluate of a solve through another frontend is heeded: it fails at once, where v0.8.3 fails with the first read',
  },
  { in: 'v0.11.6', kind: 'find', pattern: /rpc error: code = /, what: 'messages of the gateway', why: "the status is in the text as well, as gRPC's own client words it" },
  { in: 'v0.13.2', kind: 'find', pattern: /(ReadFile|StatFile) .*message \| "(open|lstat) /, what: 'messages of reads that find nothing', why: 'they name the path as it was asked for, without the folder of the daemon in which it was mounted' },
  { in: 'v0.13.2', kind: 'find', pattern: /message \| "walk /, what: 'the message of a folder that is none', why: 'it is found out earlier' },
  { in: 'v0.13.2', kind: 'find', pattern: /4294967295/, what: 'the exit code of what a signal killed', why: 'it is 128 and the signal, where before it was -1 as an unsigned number' },
  { in: 'v0.13.2', kind: 'find', pattern: /base:missing/, what: 'an image that is not there', why: 'it says that the image is not found, where v0.11 told of an attempt over HTTPS; and the message names the source' },
  { in: 'v0.17.3', kind: 'find', pattern: /value\["description"\]/, what: 'names of ops in errors', why: 'the detail that has the op has its description, too' },
  { in: 'v0.17.3', kind: 'find', pattern: /failed to walk/, what: 'the message of a COPY of nothing', why: 'it names the path as it was asked for, without the folder of the daemon in which it was mounted' },
  { in: 'v0.26.3', kind: 'find', pattern: /no such ref/, what: 'a ref that is not there', why: 'the message lists those that are' },
  { in: 'v0.26.3', kind: 'find', pattern: /errdefs\.Frontend\+json|value\["name"\]/, what: 'the frontend that failed', why: 'a detail of the status names it' },
  { in: 'v0.32.2', kind: 'find', pattern: /is not a regular file/, what: 'the message of a file that is a folder', why: 'it is found out before it is read' },
];
