// Many tests at once: each p-value raised to what it is worth among the others.

/** Adjusted p-values: those at most alpha hold false discoveries down to a share alpha. Benjamini and Hochberg 1995. */
export function adjust(p: readonly number[]): readonly number[] {
  const order = p.map((_, i) => i).sort((a, b) => p[b]! - p[a]!);
  const adjusted = new Array<number>(p.length).fill(1);
  let least = 1;
  order.forEach((i, at) => {
    least = Math.min(least, (p[i]! * p.length) / (p.length - at));
    // Rounding must not make a p-value smaller than it was.
    adjusted[i] = Math.max(least, p[i]!);
  });
  return adjusted;
}
