/** What docs/buildkit-versions.md compares: two builds by seven versions of BuildKit. */

/** From each on, something of LLBBridge changed; in the order in which they came. */
export const VERSIONS = ['v0.8.3', 'v0.11.6', 'v0.13.2', 'v0.17.3', 'v0.20.2', 'v0.26.3', 'v0.32.2'] as const;

export interface VersionedBuild {
  /** `NAME-VERSION.cassette` is its recording. */
  readonly name: string;
  readonly title: string;
  /** Whether the OCI runtime records a container frontend, or a proxy the client. */
  readonly by: 'runtime' | 'proxy';
  readonly command: readonly string[];
}

export const BUILDS: readonly VersionedBuild[] = [
  {
    name: 'container',
    title: 'A Dockerfile through the frontend container',
    by: 'runtime',
    command: ['buildctl', 'build', '--frontend', 'dockerfile.v0', '--local', 'context=.', '--local', 'dockerfile=.', '--opt', 'build-arg:WHO=you'],
  },
  {
    name: 'client',
    title: 'A build function through client.Build',
    by: 'proxy',
    command: ['frontend', '--scenario', 'all', '--busybox-dir', '.', '--image', 'localhost:5000/base'],
  },
];
