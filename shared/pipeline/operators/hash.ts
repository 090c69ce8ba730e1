// hash: a name out of very many, as one of a few columns.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import type { PipelineRow } from "../types.js";
import { fieldName, numberPosition } from "./fields.js";
import { type FeatureOperator, type FeatureState, FREE, RowComputer } from "./port.js";

const MAX_HASH = 2 ** 32 - 1;

const params = z.strictObject({
  of: fieldName,
  buckets: z.int().min(2).max(1_024).describe("Columns. Different names may share one."),
});

type Params = z.output<typeof params>;

/**
 * The field holds a 32-bit hash, as decoders make of text: 1 in the column of its remainder by `buckets`, 0 in the others
 * (Weinberger et al. 2009, without signs): `tag.hash_0`. What is no whole number from 0 to 2^32 - 1 is missing, counted
 * as `hash.not-a-hash`.
 */
export const hash: FeatureOperator<Params> = {
  name: "hash",
  doc: "A 32-bit hash of text as one of so many columns, 0 or 1: {of: tag, buckets: 16}. Different texts may share a column.",
  example: { params: { of: "tag", buckets: 16 } },
  params,
  reads: ({ of }) => [of],
  columns({ of, buckets }, input) {
    numberPosition(input, of, ["of"]);
    return Array.from({ length: buckets }, (_, bucket) => `${of}.hash_${bucket}`);
  },
  create: ({ of, buckets }, input, counters) =>
    new Hash(numberPosition(input, of, ["of"]), buckets, counters),
  cost: () => FREE,
};

class Hash extends RowComputer {
  readonly #position: number;
  readonly #buckets: number;
  readonly #counters: Counters;

  constructor(position: number, buckets: number, counters: Counters) {
    super();
    this.#position = position;
    this.#buckets = buckets;
    this.#counters = counters;
  }

  push({ values }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    const bucket = this.#bucketOf(values[this.#position]);
    out.fill(bucket === undefined ? Number.NaN : 0, offset, offset + this.#buckets);
    if (bucket === undefined) return "missing";
    out[offset + bucket] = 1;
    return "complete";
  }

  #bucketOf(value: unknown): number | undefined {
    if (typeof value !== "number") return undefined;
    if (Number.isInteger(value) && value >= 0 && value <= MAX_HASH) return value % this.#buckets;
    this.#counters.add("hash.not-a-hash");
    return undefined;
  }
}
