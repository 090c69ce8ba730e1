import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nameFields } from "../../../../device/survey/field-names.js";
import { flow } from "../../../../device/survey/flow.js";
import { roundLimits, roundUp } from "../../../../device/survey/round.js";
import { fieldName } from "../../../../shared/pipeline/operators/fields.js";
import { readYaml } from "../../../../shared/task/yaml.js";

const word = fc.oneof(
  fc.string(),
  fc.constantFrom("on", "No", "true", "null", "1h", "12", "a: b", "~", "-", "0x1"),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x)),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(
      word.filter((key) => key !== "__proto__"),
      tie("any"),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).any;

test("what is written on one line is what a YAML reader reads", () => {
  fc.assert(
    fc.property(value, (written) => {
      const text = flow(written as Parameters<typeof flow>[0]);
      expect(text).not.toContain("\n");
      expect(readYaml(`a: ${text}`).value).toEqual({ a: written });
    }),
    { numRuns: 500 },
  );
});

describe("names of fields", () => {
  test("are valid and told apart, whatever the paths are", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }), (paths) => {
        const names = [...nameFields(paths).values()];
        expect(new Set(names).size).toBe(paths.length);
        for (const name of names) expect(fieldName.safeParse(name).success, name).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("are the paths themselves where those will do", () => {
    expect([...nameFields(["temp", "PM2.5", "a.b[0]", "9"])]).toEqual([
      ["temp", "temp"],
      ["PM2.5", "pm2_5"],
      ["a.b[0]", "a_b_0"],
      ["9", "f_9"],
    ]);
  });
});

describe("round numbers", () => {
  test("limits never lie within what they limit, and have few digits", () => {
    const x = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(x, x, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const [from, to] = roundLimits(low, high);
        const slack = 1e-9 * Math.max(Math.abs(low), Math.abs(high));
        expect(from).toBeLessThanOrEqual(low + slack);
        expect(to).toBeGreaterThanOrEqual(high - slack);
        expect(to - from).toBeLessThanOrEqual(1.5 * (high - low) + Math.abs(high) + 1 + slack);
      }),
      { numRuns: 1000 },
    );
  });

  test("durations are rounded up to what people write", () => {
    expect([roundUp(1), roundUp(61_000), roundUp(86_400_001)]).toEqual([1, 120_000, 172_800_000]);
  });
});
