// stats: a block of samples in single numbers.

import { z } from "zod";
import { type BlockStatistic, blockStatisticNames, sharedStatistics } from "../signal/block-statistics.js";
import type { BlockOperator } from "./block-operator.js";
import { fieldNames } from "./fields.js";
import { pathOf } from "./vectors.js";

const statisticName = z.union(
  [z.enum(blockStatisticNames), z.templateLiteral(["q", z.string().regex(/^\d\d$/)])],
  { error: `expected one of ${blockStatisticNames.join(", ")}, or a quantile such as q05` },
);

const params = z.strictObject({ of: fieldNames, get: z.array(statisticName).min(1).max(32) });

type Params = z.output<typeof params>;

/** Columns `a.rms`, `a.q05`, vector by vector. What each means: `BlockStatistics`. */
export const stats: BlockOperator<Params> = {
  name: "stats",
  doc: "A block in single numbers: {of: vector or vectors, get: [mean, std, rms, min, max, peak, p2p, crest, skew, kurtosis, zcr, energy, median, mad, iqr, q05, ...]}. std, skew and kurtosis (excess) are the population's, energy is the mean square, zcr counts changes of sign of x - mean, quantiles are of type 7.",
  example: { params: { of: "a", get: ["rms", "crest", "kurtosis", "zcr", "q95"] }, vectors: { a: 16 } },
  params,
  groups: ({ of, get }) =>
    of.map((name, i) => ({
      of: [name],
      paths: [pathOf(of, i)],
      names: get.map((statistic) => `${name}.${statistic}`),
    })),
  compile({ get }, [field]) {
    const statistics = sharedStatistics(field!.length);
    const wanted = get.map((name) => parsed(name));
    return ([block], out, offset) => {
      statistics.load(block!);
      for (let i = 0; i < wanted.length; i++) out[offset + i] = statistics.get(wanted[i]!);
    };
  },
};

function parsed(name: Params["get"][number]): BlockStatistic {
  const named = blockStatisticNames.find((known) => known === name);
  return named ?? Number(name.slice(1)) / 100;
}
