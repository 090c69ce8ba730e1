// What Python's `random.sample` draws: River's KSWIN chooses the numbers it compares by it.

const N = 624;
const M = 397;

/** `random.Random(seed).sample(range(length), sample)`, call after call. `seed` below 2^32; `length` not far above `sample`. */
export function pythonSample(seed: number): (length: number, sample: number) => readonly number[] {
  const next = mersenneTwister(seed);
  const below = (limit: number) => {
    const bits = 32 - Math.clz32(limit);
    for (;;) {
      const drawn = next() >>> (32 - bits);
      if (drawn < limit) return drawn;
    }
  };
  return (length, sample) => {
    const pool = Array.from({ length }, (_, i) => i);
    return Array.from({ length: sample }, (_, i) => {
      const at = below(length - i);
      const drawn = pool[at]!;
      pool[at] = pool[length - i - 1]!;
      return drawn;
    });
  };
}

/** MT19937, seeded by an array of one key: Matsumoto and Nishimura 1998, and their `init_by_array` of 2002. */
function mersenneTwister(key: number): () => number {
  const state = stateOf(key);
  let at = N;
  return () => {
    if (at === N) {
      for (let i = 0; i < N; i++) {
        const y = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
        state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

function stateOf(key: number): Uint32Array {
  const state = new Uint32Array(N);
  const mixed = (i: number, factor: number) => Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), factor);
  state[0] = 19_650_218;
  for (let i = 1; i < N; i++) state[i] = mixed(i, 1_812_433_253) + i;
  let i = 1;
  const step = () => {
    i += 1;
    if (i < N) return;
    state[0] = state[N - 1]!;
    i = 1;
  };
  for (let k = 0; k < N; k++, step()) state[i] = (state[i]! ^ mixed(i, 1_664_525)) + key;
  for (let k = 1; k < N; k++, step()) state[i] = (state[i]! ^ mixed(i, 1_566_083_941)) - i;
  state[0] = 0x80000000;
  return state;
}
