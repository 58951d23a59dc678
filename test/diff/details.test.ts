import { expect, it } from 'vitest';
import { detailsByType, loneDetails } from '../../src/diff/details.js';
import type { CanonicalField } from '../../src/bridge/index.js';

const detail = (at: number, type: string, ...members: readonly CanonicalField[]): readonly CanonicalField[] => [
  [`details[${at}].type_url`, JSON.stringify(`github.com/moby/buildkit/${type}+json`)],
  ...members.map(([path, value]): CanonicalField => [`details[${at}].value${path}`, value]),
];
const status = (fields: readonly CanonicalField[], annotations: readonly CanonicalField[] = []) => detailsByType({ fields: [['code', '2'], ...fields], annotations });

it('a detail that only one status has is one thing, and says the short before the long', () => {
  const vertex = (at: number): readonly CanonicalField[] => detail(at, 'errdefs.Vertex', ['["digest"]', '"sha256:a"']);
  const source = detail(0, 'errdefs.Source', ['["info"]["definition"]["def"]', '"long"'], ['["info"]["filename"]', '"Dockerfile"']);
  const found = loneDetails(status(vertex(0)), status(vertex(1), source));
  expect(found.before).toEqual({ details: [], rest: status(vertex(0)) });
  expect(found.after).toEqual({
    details: [{ at: 'details["errdefs.Source"]', value: '{ type_url: "github.com/moby/buildkit/errdefs.Source+json", value["info"]["filename"]: "Dockerfile", value["info"]["definition"]["def"]: "long" }', isAnnotation: true }],
    rest: status(vertex(0)),
  });
});

it('the second of a type is told apart from the first', () => {
  const solve = (at: number, value: string): readonly CanonicalField[] => detail(at, 'errdefs.Solve', ['["inputIDs"][0]', value]);
  const found = loneDetails(status([...solve(0, '"a"'), ...solve(1, '"b"')]), status(solve(0, '"c"')));
  expect(found.before.details).toEqual([{ at: 'details["errdefs.Solve 2"]', value: '{ type_url: "github.com/moby/buildkit/errdefs.Solve+json", value["inputIDs"][0]: "b" }', isAnnotation: false }]);
  expect([found.before.rest, found.after]).toEqual([status(solve(0, '"a"')), { details: [], rest: status(solve(0, '"c"')) }]);
});
