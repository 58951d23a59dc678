/** How much of a value is shown. */
export interface Extent {
  /** Columns to fit short lists and objects into. */
  readonly width: number;
  /** Nothing is cut. */
  readonly full: boolean;
}
