// rolling: statistics of the recent past, the row itself included.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { fieldNames, numberPositions } from "./fields.js";
import {
  type Cost,
  type FeatureComputer,
  type FeatureOperator,
  type FeatureState,
  type Input,
  rowsIn,
} from "./port.js";
import { SlidingFields } from "./sliding-fields.js";
import {
  EXTENT_RULE,
  extentOf,
  extentText,
  hasOneExtent,
  isOrderStatistic,
  isPlainStatistic,
  overParam,
  rowsParam,
  type WindowStatistic,
  windowStatistic,
} from "./statistic.js";

// Bytes per value in the window: its time, the value, and its summary; and once more the value, in order.
const PLAIN_BYTES_PER_VALUE = 96;
const RICH_BYTES_PER_VALUE = 192;
const ORDER_BYTES_PER_VALUE = 16;

const params = z
  .strictObject({
    of: fieldNames,
    over: overParam,
    rows: rowsParam,
    get: z.array(windowStatistic).min(1).max(32),
  })
  .refine(hasOneExtent, EXTENT_RULE)
  .transform(({ of, get, ...written }) => ({ of, get, extent: extentOf(written) }));

type Params = z.output<typeof params>;

/**
 * Statistics of (t - over, t], or of the last so many rows. Missing values are skipped; a window without any value has
 * none but a count of 0. Quantiles are exact (type 7, as NumPy), slopes per second. Warm once the entity's past covers the whole window. Columns, field by field: `temp.rolling_mean_24h`,
 * or `temp.rolling_mean_30` for rows.
 */
export const rolling: FeatureOperator<Params> = {
  name: "rolling",
  doc: "Statistics of the recent past: {of: field or fields, over: 24h or rows: 30, get: [mean, std, min, max, count, sum, median, q05, q95, iqr, mad, skew, kurtosis, slope, ...]}. In the field's unit; std, skew and kurtosis are the population's, slope is per second.",
  example: { params: { of: "temp", over: "24h", get: ["mean", "std"] } },
  moreExamples: [
    {
      params: { of: ["temp", "load"], rows: 8, get: ["median", "q05", "q95", "iqr", "mad", "skew", "slope"] },
    },
  ],
  params,
  reads: ({ of }) => of,
  columns({ of, get, extent }, input) {
    numberPositions(of, input);
    const suffix = extentText(extent);
    return of.flatMap((name) => get.map((statistic) => `${name}.rolling_${statistic}_${suffix}`));
  },
  create({ of, get, extent }, input, counters) {
    return new Rolling(numberPositions(of, input), { get, extent }, counters);
  },
  cost: costOf,
};

function costOf({ of, get, extent }: Params, input: Input): Cost {
  const remembered = extent.kind === "time" ? rowsIn(extent.ms, input) : extent.rows;
  return {
    stateBytes: remembered * bytesPerValue(get) * of.length,
    warmUpMs: extent.kind === "time" ? extent.ms : (input.spacingMs ?? 0) * (extent.rows - 1),
    warmUpRows: extent.kind === "time" ? 1 : extent.rows,
  };
}

function bytesPerValue(get: readonly WindowStatistic[]): number {
  if (get.every(isPlainStatistic)) return PLAIN_BYTES_PER_VALUE;
  return RICH_BYTES_PER_VALUE + (get.some(isOrderStatistic) ? ORDER_BYTES_PER_VALUE : 0);
}

class Rolling implements FeatureComputer {
  readonly #get: readonly WindowStatistic[];
  readonly #window: SlidingFields;

  constructor(
    positions: readonly number[],
    { get, extent }: Pick<Params, "get" | "extent">,
    counters: Counters,
  ) {
    this.#get = get;
    this.#window = new SlidingFields({
      columns: positions.map((position) => ({ position, statistics: get })),
      extent,
      counters,
      fullKey: "features.history-full",
    });
  }

  push(row: PipelineRow, out: Float32Array, offset: number): FeatureState {
    this.#window.push(row);
    if (!this.#window.isWarm) return "warming-up";
    let at = offset;
    let state: FeatureState = "complete";
    for (const field of this.#window.fields) {
      field.update();
      for (const statistic of this.#get) {
        const value = field.get(statistic);
        if (value === null) state = "missing";
        out[at++] = value ?? Number.NaN;
      }
    }
    return state;
  }

  save(): Saved {
    return this.#window.save();
  }

  restore(saved: Saved): void {
    this.#window.restore(saved);
  }
}
