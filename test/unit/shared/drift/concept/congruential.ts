// Streams that any language makes alike to the bit: a linear congruential generator (Numerical Recipes) in doubles.

/** Uniform numbers, and what follows from them: a mean that shifts by 0.3 and then to -0.2, an error rate of 10 %, then 30 %. */
export function congruential() {
  const uniform: number[] = [];
  for (let x = 1; uniform.length < 3_000; ) {
    x = (1_664_525 * x + 1_013_904_223) % 2 ** 32;
    uniform.push(x / 2 ** 32);
  }
  const shift = (i: number) => (i < 1_000 ? 0 : i < 2_000 ? 0.3 : -0.2);
  return {
    uniform,
    shifted: uniform.map((u, i) => u + shift(i)),
    errors: uniform.map((u, i) => (u < (i < 1_500 ? 0.1 : 0.3) ? 1 : 0)),
  };
}
