// What the author probably meant.

import { distance } from "fastest-levenshtein";

/** `; did you mean "x"?` for the candidate nearest to `word`, or "" when none is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

// Up to a third of the letters may be wrong, and always two.
function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const letters = distance(word.toLowerCase(), candidate.toLowerCase());
    if (letters >= bestDistance || letters >= candidate.length) continue;
    best = candidate;
    bestDistance = letters;
  }
  return best;
}
