// In which order candidates are shown.

import type { SelectionView } from "../http/schema.js";

type Candidate = SelectionView["candidates"][number];

/** The selected one first, then those that are in, then those that came furthest; of equals, the least behind. */
export function candidatesInOrder({ candidates, winner }: SelectionView): readonly Candidate[] {
  const rank = ({ name, out }: Candidate) => (name === winner ? 0 : out === undefined ? 1 : 2);
  const reached = ({ comparisons }: Candidate) => comparisons.at(-1)?.rung ?? 0;
  const gap = ({ comparisons }: Candidate) => comparisons.at(-1)?.behind?.mean ?? 0;
  return candidates.toSorted((a, b) => rank(a) - rank(b) || reached(b) - reached(a) || gap(a) - gap(b));
}
