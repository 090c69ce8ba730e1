// Chance as a port: every draw comes from a named stream, so a new consumer never shifts the others.

import { createHash } from "node:crypto";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** A reproducible stream of draws. Not for keys or noise that must be secret. */
export interface Random {
  /** A 32-bit unsigned integer. */
  uint32(): number;
  /** A float in [0, 1), 53 bits of resolution. */
  uniform(): number;
  /** An integer in [0, bound). `bound` is 1 to 2^31. */
  integer(bound: number): number;
  /** A draw from the standard normal distribution (Box and Muller 1958). */
  normal(): number;
  /** Shuffles `items` in place (Fisher and Yates, Durstenfeld's form) and returns them. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
}

/** The stream named by `hash(rootSeed, purpose, ...parts)`: same name, same draws, on every machine. */
export function randomStream(
  rootSeed: string,
  purpose: string,
  ...parts: readonly (string | number)[]
): Random {
  const name = JSON.stringify([rootSeed, purpose, ...parts]);
  const digest = createHash("sha256").update(name).digest();
  const state = [0, 4, 8, 12].map((offset) => digest.readInt32LE(offset));
  const generator = xoroshiro128plusFromState(state);
  const uint32 = () => generator.next() >>> 0;
  const uniform = () => uniformFloat64(generator);
  const integer = (bound: number) => uniformInt(generator, 0, bound - 1);
  return {
    uint32,
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle(items) {
      for (let last = items.length - 1; last > 0; last--) {
        const pick = integer(last + 1);
        const held = items[last];
        items[last] = items[pick];
        items[pick] = held;
      }
      return items;
    },
  };
}
