// Problems as text: one line each, in the order of the file they are in.

import { type Path, type Problem, pathText } from "./problem.js";
import type { Place } from "./yaml.js";

/** Where in the text a path begins. */
export type PlaceOf = (path: Path) => Place;

// A page of problems is enough to mend; a hostile text must not make an endless message.
const MAX_PROBLEMS = 50;

/** One line per problem, with its line of the text where `placeOf` knows it. */
export function explain(problems: readonly Problem[], placeOf: PlaceOf | undefined): string {
  const first = problems.slice(0, MAX_PROBLEMS);
  const lines = placeOf === undefined ? first.map(describe) : inOrder(first, placeOf);
  const more = problems.length - first.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

function inOrder(problems: readonly Problem[], placeOf: PlaceOf): string[] {
  return problems
    .map((problem) => ({ problem, place: placeOf(problem.path) }))
    .toSorted((a, b) => a.place.line - b.place.line || a.place.col - b.place.col)
    .map(({ problem, place }) => `line ${place.line}: ${describe(problem)}`);
}

function describe({ path, message }: Problem): string {
  return path.length === 0 ? message : `${pathText(path)}: ${message}`;
}
