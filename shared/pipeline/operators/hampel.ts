// hampel: a value too far from the median of its surroundings is an outlier.

import { z } from "zod";
import { unreachable } from "../../assert.js";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import { Recent } from "../recent.js";
import { SortedWindow } from "../sorted-window.js";
import type { Saved } from "../state.js";
import { Centred, type CentredJudge, numberAt } from "./centred.js";
import { Clean, type Judge } from "./clean.js";
import { alsoReads, fieldNames, numberPositions } from "./fields.js";
import { type Cost, type Input, rowsIn, type StepOperator } from "./port.js";
import type { Extent } from "./statistic.js";

// Of a normal distribution, the standard deviation per median absolute deviation.
const STD_PER_MAD = 1.4826;
const BYTES_PER_VALUE = 24;

const params = z
  .strictObject({
    of: fieldNames,
    n: z.int().min(3).max(10_000).optional().describe("The last n values, the current one included."),
    over: durationMs.optional().describe("The values of (t - over, t]."),
    centered: z
      .int()
      .min(3)
      .max(1_001)
      .refine((rows) => rows % 2 === 1, { error: "expected an odd number of rows" })
      .optional()
      .describe("So many rows around the current one: rows are late by half of them."),
    k: z.number().gt(0).prefault(3).describe("How many robust standard deviations are too far."),
    min: z.int().min(3).prefault(3).describe("With fewer values, nothing is judged."),
    floor: z
      .number()
      .min(0)
      .prefault(0)
      .describe(
        "Least deviation reckoned with, in the field's unit. 0: nothing is judged where most values are equal.",
      ),
    replace: z.enum(["missing", "median", "clip"]).prefault("missing"),
  })
  .refine(({ n, over, centered }) => [n, over, centered].filter((each) => each !== undefined).length === 1, {
    error: 'expected exactly one of "n", "over" or "centered"',
  });

type Params = z.output<typeof params>;

/**
 * |x - median| > k * 1.4826 * max(MAD, floor) (Hampel 1974; Pearson 2002), over values as they came, the current one
 * included. An outlier becomes missing, the median, or the nearer end of what is allowed; counted as `hampel.outliers`.
 * A replaced value was not measured: it is marked as filled.
 */
export const hampel: StepOperator<Params> = {
  name: "hampel",
  doc: "Outliers by median and median absolute deviation: {of: field or fields, n: 9 or over: 10m or centered: 5, k: 3, min: 3, replace: missing, median or clip}.",
  example: { params: { of: "temp", n: 9, k: 3, replace: "median" } },
  moreExamples: [
    { params: { of: "temp", over: "2h", floor: 0.5, replace: "clip" } },
    { params: { of: "temp", centered: 5 } },
  ],
  params,
  reads: ({ of }, wanted) => alsoReads(wanted, of),
  output({ of }, input) {
    numberPositions(of, input);
    return input;
  },
  create(params, input, context) {
    const positions = numberPositions(params.of, input);
    const rule = new Rule(params, context.counters);
    if (params.centered !== undefined) {
      const half = (params.centered - 1) / 2;
      return new Centred(
        { positions, half, judge: centredJudge(rule, params.centered), marksChanged: true },
        context,
      );
    }
    const judges = positions.map(() => new RecentJudge(rule, new Recent(extentOf(params), context.counters)));
    return new Clean({ positions, judges, marksChanged: true }, context);
  },
  cost: costOf,
};

function extentOf({ n = 0, over }: Params): Extent {
  return over === undefined ? { kind: "rows", rows: n } : { kind: "time", ms: over };
}

function costOf({ of, n = 0, over, centered, min }: Params, input: Input): Cost {
  const { spacingMs = 0 } = input;
  if (centered !== undefined) {
    const stateBytes = centered * (64 + 16 * input.fields.length);
    const halfMs = ((centered - 1) / 2) * spacingMs;
    return { stateBytes, warmUpMs: halfMs, warmUpRows: min, reachMs: 2 * halfMs };
  }
  const values = over === undefined ? n : rowsIn(over, input);
  const reachMs = over ?? (n - 1) * spacingMs;
  return { stateBytes: of.length * values * BYTES_PER_VALUE, warmUpMs: 0, warmUpRows: 1, reachMs };
}

/** What is an outlier, and what stands for it. */
class Rule {
  readonly #params: Params;
  readonly #counters: Counters;

  constructor(params: Params, counters: Counters) {
    this.#params = params;
    this.#counters = counters;
  }

  /** What `x`, one of the values `among`, becomes. */
  apply(x: number, among: SortedWindow): number {
    const { k, min, floor, replace } = this.#params;
    if (among.size < min) return x;
    const middle = among.quantile(0.5);
    const limit = k * STD_PER_MAD * Math.max(among.deviation(middle), floor);
    if (limit === 0 || Math.abs(x - middle) <= limit) return x;
    this.#counters.add("hampel.outliers");
    switch (replace) {
      case "missing":
        return Number.NaN;
      case "median":
        return middle;
      case "clip":
        return x < middle ? middle - limit : middle + limit;
      default:
        return unreachable(replace);
    }
  }
}

class RecentJudge implements Judge {
  readonly #rule: Rule;
  readonly #recent: Recent;

  constructor(rule: Rule, recent: Recent) {
    this.#rule = rule;
    this.#recent = recent;
  }

  judge(timeMs: number, x: number): number {
    this.#recent.push(timeMs, x);
    return this.#rule.apply(x, this.#recent.sorted);
  }

  save(): Saved {
    return this.#recent.save();
  }

  restore(saved: Saved): void {
    this.#recent.restore(saved);
  }
}

function centredJudge(rule: Rule, rowsMax: number): CentredJudge {
  const scratch = new Float64Array(rowsMax);
  const among = new SortedWindow();
  return (rows, at, position) => {
    const half = (rowsMax - 1) / 2;
    const first = Math.max(0, at - half);
    const end = Math.min(rows.length, at + half + 1);
    for (let row = first; row < end; row++) scratch[row - first] = numberAt(rows[row], position);
    among.fill(scratch.subarray(0, end - first));
    return rule.apply(numberAt(rows[at], position), among);
  };
}
