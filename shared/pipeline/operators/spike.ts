// spike: a single value that sticks out from both its neighbours is no value.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { Centred, type CentredJudge, numberAt } from "./centred.js";
import { alsoReads, fieldNames, numberPositions } from "./fields.js";
import type { StepOperator } from "./port.js";

const params = z.strictObject({
  of: fieldNames,
  max: z
    .number()
    .gt(0)
    .describe("How far a value may lie above or below both neighbours, in the field's unit."),
});

/**
 * A value more than `max` above or below both the value before and the value after becomes missing, counted as
 * `spike.spikes` (the spike test of the Argo quality control manual, 2.1 test 9: ramps and steps pass). A row is late
 * by one row. Next to a missing value nothing is judged.
 */
export const spike: StepOperator<z.output<typeof params>> = {
  name: "spike",
  doc: "A single value that lies more than max above or below both its neighbours becomes missing: {of: field or fields, max: 5}. Rows are late by one row.",
  example: { params: { of: "temp", max: 5 } },
  params,
  reads: ({ of }, wanted) => alsoReads(wanted, of),
  output({ of }, input) {
    numberPositions(of, input);
    return input;
  },
  create({ of, max }, input, context) {
    const positions = numberPositions(of, input);
    const judge = judgeSpike(max, context.counters);
    return new Centred({ positions, half: 1, judge, marksChanged: false }, context);
  },
  cost: (_, { fields, spacingMs = 0 }) => ({
    stateBytes: 3 * (64 + 16 * fields.length),
    warmUpMs: spacingMs,
    warmUpRows: 2,
  }),
};

function judgeSpike(max: number, counters: Counters): CentredJudge {
  return (rows, at, position) => {
    const before = numberAt(rows[at - 1], position);
    const x = numberAt(rows[at], position);
    const after = numberAt(rows[at + 1], position);
    // NaN of a missing neighbour compares false.
    if (!(x > Math.max(before, after) + max || x < Math.min(before, after) - max)) return x;
    counters.add("spike.spikes");
    return Number.NaN;
  };
}
