/** The modes of a replay that can record: their options and help. */
import { BridgetapeError } from '../errors.js';
import { MODES, type ModeChoice } from '../mode/index.js';
import { parseAddress } from '../socket/index.js';
import type { LISTEN_OPTIONS } from './listen-options.js';
import { RECORDING_OPTIONS } from './recording-options.js';
import type { OptionValues, Text, Topic } from './synopsis.js';

export const MODE_OPTION = {
  kind: 'text',
  value: 'MODE',
  about: 'Whether to record (--help modes)',
  defaultAbout: 'none',
} as const satisfies Text;

export const MODES_TOPIC: Topic = {
  name: 'modes',
  paragraphs: [
    '--mode MODE [--to ADDRESS] [...]',
    'A recording takes the place of FILE only when CMD succeeded, something crossed and nothing was lost. Until then, and if not, it is FILE.new.',
    'Where CI is set, nothing is recorded by surprise: "once" never records, and "all" has to stand on the command line. Without --mode, BRIDGETAPE_MODE says it; if that is not set either, it is none.',
    'A replay takes --tlscert, --tlskey and --tlscacert for its own --listen-… ones unless its mode can record.',
  ],
  tables: [{ title: 'MODE', rows: MODES.map(({ mode, about }) => [mode, about]) }],
  options: RECORDING_OPTIONS,
  examples: ['bridgetape replay --mode once make.cassette -- go test ./...', 'BRIDGETAPE_MODE=all bridgetape replay make.cassette -- go test ./...'],
};

type RecordingValues = OptionValues<typeof RECORDING_OPTIONS>;

/**
 * What is written for a recording must not be overlooked by a replay.
 *
 * @throws BridgetapeError `bad-argument`, `bad-address`
 */
export function checkRecordingOptions(values: RecordingValues, { mode }: ModeChoice): void {
  if (values.to !== undefined) parseAddress(values.to);
  if (mode !== 'none') return;
  // The others have a meaning for a replay's listener.
  const { to, tlsdir, tlsservername, docker, bodies, 'no-bodies': noBodies, 'no-command': noCommand } = values;
  const given = Object.entries({ to, tlsdir, tlsservername, docker, bodies, 'no-bodies': noBodies, 'no-command': noCommand });
  const [name] = given.find(([, value]) => value !== undefined && value !== false && (typeof value === 'string' || value === true || value.length > 0)) ?? [];
  if (name !== undefined) throw new BridgetapeError('bad-argument', `--${name} is for a recording, and the mode "none" only replays.`, 'Leave it out, or add --mode once or --mode all.');
}

/** Of a replay whose mode records nothing. */
export function withShortNames<V extends RecordingValues & OptionValues<typeof LISTEN_OPTIONS>>(values: V): V {
  const { tlscert, tlskey, tlscacert } = values;
  return { ...values, 'listen-tlscert': values['listen-tlscert'] ?? tlscert, 'listen-tlskey': values['listen-tlskey'] ?? tlskey, 'listen-tlscacert': values['listen-tlscacert'] ?? tlscacert };
}
