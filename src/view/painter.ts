/** Colours as functions, handed in: whether there is a terminal to colour for is not the view's matter. */
type Paint = (text: string) => string;

export interface Painter {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
  readonly cyan: Paint;
}

const same: Paint = (text) => text;

export const plainPainter: Painter = { bold: same, dim: same, red: same, yellow: same, green: same, cyan: same };
