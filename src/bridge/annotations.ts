/**
 * What a message says about its contents without changing what comes of them: one table, a row for each place, with why
 * it decides nothing. Requests that differ only there are the same; that they do is told.
 */

export interface AnnotationRule {
  /** By which it is switched off; places of one thing share it. */
  readonly name: string;
  /** Full name of the message and name of the field. */
  readonly message: string;
  readonly field: string;
  readonly reason: string;
  /** Where BuildKit (v0.32.2) reads the value. */
  readonly source: string;
}

const WARN = 'moby.buildkit.v1.frontend.WarnRequest';

export const ANNOTATION_RULES: readonly AnnotationRule[] = [
  {
    name: 'source-map',
    message: 'pb.Definition',
    field: 'Source',
    reason: 'the files that the ops were written in, and where; shown beside errors',
    source: 'solver/llbsolver/vertex.go, solver/errdefs/source.go',
  },
  {
    name: 'description',
    message: 'pb.OpMetadata',
    field: 'description',
    reason: "an op's name on the screen, and other texts about it",
    source: 'solver/llbsolver/vertex.go',
  },
  {
    name: 'progress_group',
    message: 'pb.OpMetadata',
    field: 'progress_group',
    reason: 'groups ops on the screen',
    source: 'solver/llbsolver/vertex.go',
  },
  { name: 'source-map', message: WARN, field: 'info', reason: 'the file that a warning is about, to show a part of it', source: 'util/progress/progressui/printer.go' },
  { name: 'source-map', message: WARN, field: 'ranges', reason: 'the lines that a warning is about', source: 'util/progress/progressui/printer.go' },
];

/** Error details that say where in a file an error is. */
export const ANNOTATING_DETAILS: readonly { readonly name: string; readonly typeUrl: string; readonly reason: string; readonly source: string }[] = [
  {
    name: 'source-map',
    typeUrl: 'github.com/moby/buildkit/errdefs.Source+json',
    reason: 'the file and the lines that failed, to show a part of it',
    source: 'solver/errdefs/source.go',
  },
];
