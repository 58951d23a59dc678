/** The options of every command that can record. Apart from recording itself: a replay knows them and mostly records nothing. */
import type { Options } from './synopsis.js';
import { UPSTREAM_OPTIONS } from './upstream-options.js';

/** What and whom it records, but for where clients connect. */
export const RECORDING_OPTIONS = {
  ...UPSTREAM_OPTIONS,
  docker: { kind: 'text', value: 'ADDRESS', about: 'Where Docker is: unix:// or tcp://, or none', defaultAbout: "$DOCKER_HOST, Docker's context or socket" },
  bodies: { kind: 'list', value: 'METHOD', about: 'Keep the message bodies of this method (/package.Service/Method, * for any run)' },
  'no-bodies': { kind: 'list', value: 'METHOD', about: 'Leave out the message bodies of this method' },
  'no-command': { kind: 'flag', about: "Leave CMD out of the cassette's header" },
} as const satisfies Options;
