/**
 * What differs in answers though the builds do not: things of the world in which a daemon ran. The normaliser's own rules
 * (bridge/volatile.ts) are about requests, and a replay gives answers back to the byte; only a comparison goes by these.
 */
import type { RuleSettings, UserRule } from '../bridge/index.js';

export interface WorldRule extends UserRule {
  readonly reason: string;
  /** Where in BuildKit (v0.32.2) the value comes from. */
  readonly source: string;
}

/** A temporary folder in which a daemon looks at a result (snapshot/localmounter_linux.go); where that is, is the daemon's own matter. */
const MOUNT_PATH = /(?:\/[^\s/:"]+)*\/(?:buildkit|containerd)-mount\d+/g;

export const withoutMountPaths = (text: string): string => (text.includes('-mount') ? text.replace(MOUNT_PATH, '⟨mount⟩') : text);

export const WORLD_RULES: readonly WorldRule[] = [
  {
    effect: 'volatile',
    place: { kind: 'field', message: 'fsutil.types.Stat', field: 'modTime' },
    reason: 'when a file was last written: a step that makes one makes it anew',
    source: 'cache/util/fsutil.go',
  },
  {
    effect: 'volatile',
    place: { kind: 'field', message: 'fsutil.types.Stat', field: 'path' },
    pattern: /^(?:buildkit|containerd)-mount\d+$/g,
    reason: 'a temporary folder in which a daemon looks at a result, where its root is asked about',
    source: 'cache/util/fsutil.go',
  },
];

/** A user's rules, and after them those of the world. */
export function withWorldRules({ rules, off }: RuleSettings = { rules: [], off: [] }): RuleSettings {
  return { rules: [...rules, ...WORLD_RULES], off };
}

/** Members of an image's config that say when it was made (image-spec config.md). */
export const IMAGE_CONFIG_TIME = /^(?:created|history\[\d+\]\.created)$/;
