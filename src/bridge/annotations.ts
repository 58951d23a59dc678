/**
 * What a message says about its contents without changing what comes of them: one table, a row for each place, with why
 * it decides nothing. Requests that differ only there are the same; that they do is told.
 */

export interface AnnotationRule {
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
    message: 'pb.Definition',
    field: 'Source',
    reason: 'the files that the ops were written in, and where; shown beside errors',
    source: 'solver/llbsolver/vertex.go, solver/errdefs/source.go',
  },
  {
    message: 'pb.OpMetadata',
    field: 'description',
    reason: "an op's name on the screen, and other texts about it",
    source: 'solver/llbsolver/vertex.go',
  },
  {
    message: 'pb.OpMetadata',
    field: 'progress_group',
    reason: 'groups ops on the screen',
    source: 'solver/llbsolver/vertex.go',
  },
  { message: WARN, field: 'info', reason: 'the file that a warning is about, to show a part of it', source: 'util/progress/progressui/printer.go' },
  { message: WARN, field: 'ranges', reason: 'the lines that a warning is about', source: 'util/progress/progressui/printer.go' },
];

/** Error details that say where in a file an error is (solver/errdefs/source.go). */
const ANNOTATING_DETAILS: ReadonlySet<string> = new Set(['github.com/moby/buildkit/errdefs.Source+json']);

const annotated = new Set(ANNOTATION_RULES.map(({ message, field }) => `${message}.${field}`));

export function isAnnotation(message: string, field: string): boolean {
  return annotated.has(`${message}.${field}`);
}

export function isAnnotatingDetail(typeUrl: string): boolean {
  return ANNOTATING_DETAILS.has(typeUrl);
}
