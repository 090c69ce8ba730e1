// Numbers as somebody would write them: durations of round length, limits of few digits.

const S = 1_000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
const ROUND_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 250, 500],
  ...[S, 2 * S, 5 * S, 10 * S, 15 * S, 20 * S, 30 * S],
  ...[M, 2 * M, 5 * M, 10 * M, 15 * M, 20 * M, 30 * M],
  ...[H, 2 * H, 3 * H, 4 * H, 6 * H, 12 * H],
  ...[D, 2 * D, 7 * D, 14 * D, 28 * D, 91 * D, 182 * D, 364 * D],
];

/** The round duration nearest to `ms`, by ratio. */
export function nearestRound(ms: number): number {
  const away = (round: number) => Math.abs(Math.log(round / Math.max(1, ms)));
  return ROUND_MS.reduce((best, round) => (away(round) < away(best) ? round : best));
}

/** The shortest round duration that is not shorter than `ms`; the longest there is beyond that. */
export function roundUp(ms: number): number {
  return ROUND_MS.find((round) => round >= ms) ?? ROUND_MS.at(-1)!;
}

/** Limits around [low, high] with two digits of the width between them: never inside it. */
export function roundLimits(low: number, high: number): readonly [number, number] {
  // Below that doubles differ by chance.
  const least = 1e-9 * Math.max(Math.abs(low), Math.abs(high), 1e-9);
  const width = Math.max(high - low, least);
  const step = 10 ** (Math.floor(Math.log10(width)) - 1);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const at = (value: number) => Number((value * step).toFixed(Math.min(100, digits)));
  return [at(Math.floor(low / step)), at(Math.ceil(high / step))];
}
