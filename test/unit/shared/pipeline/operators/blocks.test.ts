// Operators that make numbers of blocks, against NumPy and SciPy: to float32's digits, as the columns are.

import { describe, expect, test } from "vitest";
import { type Input, OperatorError } from "../../../../../shared/pipeline/operators/port.js";
import { featureOperators, stepOperators } from "../../../../../shared/pipeline/operators/registry.js";
import { featureOf, row, stepOf } from "../../../../support/pipeline.js";
import { fixture, fixtureOrder, fixtureSpectrum, fixtureStatistics } from "../../../../support/signal.js";

const block = Float32Array.from(fixture);

/** Vector fields of one length. */
function vectors(length: number, ...names: readonly string[]): Input {
  return { fields: names.map((name) => ({ name, length })), spacingMs: undefined };
}

function columnsOf(name: string, params: unknown, input: Input, ...values: readonly Float32Array[]) {
  const { columns, push } = featureOf(name, params, input);
  const numbers = push(row(0, ...values));
  expect(numbers).toHaveLength(columns.length);
  return Object.fromEntries(columns.map((column, i) => [column, numbers[i]]));
}

/** Samples are rounded to float32: some 6e-8 of 1.5 each. */
function expectColumns(
  actual: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, number>>,
) {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [column, value] of Object.entries(expected)) expect(actual[column]).toBeCloseTo(value, 6);
}

/** What an author is told. */
function complaint(name: string, params: unknown, input: Input): string {
  const operator = featureOperators[name]!;
  try {
    operator.columns(operator.params.parse(params), input);
  } catch (error) {
    if (error instanceof OperatorError) return `${error.path.join(".")}: ${error.message}`;
    throw error;
  }
  return "nothing";
}

describe("stats", () => {
  test("names and values of a known signal", () => {
    const get = [...Object.keys(fixtureStatistics), "q25", "q75", "mad"];
    expectColumns(columnsOf("stats", { of: "a", get }, vectors(256, "a"), block), {
      ...Object.fromEntries(Object.entries(fixtureStatistics).map(([name, value]) => [`a.${name}`, value])),
      "a.q25": fixtureOrder.q25,
      "a.q75": fixtureOrder.q75,
      "a.mad": fixtureOrder.scaledMad / 1.4826,
    });
  });

  test("several vectors come one after the other; a missing one leaves the others", () => {
    const { columns, push } = featureOf(
      "stats",
      { of: ["a", "b"], get: ["min", "max"] },
      vectors(2, "a", "b"),
    );
    expect(columns).toEqual(["a.min", "a.max", "b.min", "b.max"]);
    expect(push(row(0, Float32Array.of(1, 2), Float32Array.of(4, 3)))).toEqual([1, 2, 3, 4]);
    expect(push(row(1, Float32Array.of(1, 2), null))).toBe("missing");
  });

  test("a number is no block", () => {
    expect(complaint("stats", { of: "x", get: ["rms"] }, vectors(1, "x"))).toBe(
      'of: takes vectors: "x" is one number; a source declares its vectors under "vectors"',
    );
  });

  test("an unknown statistic is refused with those there are", () => {
    const { error } = featureOperators.stats!.params.safeParse({ of: "a", get: ["rsm"] });
    expect(error?.issues[0]?.message).toContain("expected one of mean, std, rms");
  });
});

describe("bands", () => {
  const input = vectors(256, "a");

  test("power of a known signal", () => {
    expectColumns(columnsOf("bands", { of: "a", edges: [0, 10, 30, 50], rate: "100Hz" }, input, block), {
      "a.band_0_10": fixtureSpectrum.band0To10,
      "a.band_10_30": fixtureSpectrum.band10To30,
      "a.band_30_50": fixtureSpectrum.band30To50,
    });
  });

  test("log10 is of the power, or of the floor where there is less", () => {
    const params = { of: "a", edges: [0, 10, 30, 50], rate: "100Hz", log10: true, floor: 1e-3 };
    expectColumns(columnsOf("bands", params, input, block), {
      "a.band_0_10": Math.log10(fixtureSpectrum.band0To10),
      "a.band_10_30": Math.log10(fixtureSpectrum.band10To30),
      "a.band_30_50": -3,
    });
  });

  test("an edge that lies on a bin is in the upper band", () => {
    // Bins 0, 1, 2, 3, 4 Hz; a tone of 2 Hz, untapered, is bin 2 alone.
    const tone = Float32Array.from({ length: 8 }, (_, n) => Math.SQRT2 * Math.cos((Math.PI * n) / 2));
    const params = { of: "a", edges: [1, 2, 3], rate: "8Hz", window: "rect" };
    expectColumns(columnsOf("bands", params, vectors(8, "a"), tone), { "a.band_1_2": 0, "a.band_2_3": 1 });
  });

  test.each([
    [{ edges: [10, 60], rate: "100Hz" }, "edges.1: 60Hz is above half the rate, 50Hz"],
    [
      { edges: [1, 10, 10.1], rate: "100Hz" },
      "edges.2: no frequency lies from 10 to 10.1 Hz: they are 0.390625 Hz apart",
    ],
    [{ edges: [1, 10] }, ': expected the samples a second of "a", such as rate: 3200Hz'],
    [
      { edges: [1, 10], rate: "100Hz", segment: 512 },
      'segment: 512 samples are more than a block of "a", 256',
    ],
  ])("%j is refused", (params, message) => {
    expect(complaint("bands", { of: "a", ...params }, input)).toBe(message);
  });

  test("the rate need not be said where it is known, and must not be said wrongly", () => {
    const known: Input = { fields: [{ name: "a", length: 256, rateHz: 100 }], spacingMs: undefined };
    expect(complaint("bands", { of: "a", edges: [1, 10] }, known)).toBe("nothing");
    expect(complaint("bands", { of: "a", edges: [1, 10], rate: "50Hz" }, known)).toBe(
      'rate: "a" has 100Hz here, not 50Hz',
    );
  });
});

test("spectrum: properties of a known signal", () => {
  const get = ["centroid", "peak_hz", "entropy", "total", "rolloff", "flatness"];
  expectColumns(columnsOf("spectrum", { of: "a", get, rate: "100Hz" }, vectors(256, "a"), block), {
    "a.centroid": fixtureSpectrum.centroidHz,
    "a.peak_hz": fixtureSpectrum.peakHz,
    "a.entropy": fixtureSpectrum.entropy,
    "a.total": fixtureSpectrum.total,
    "a.rolloff": fixtureSpectrum.rolloffHz,
    "a.flatness": fixtureSpectrum.flatness,
  });
});

test("fft: power of equally wide groups of frequencies", () => {
  // Sums over numpy.array_split(power[1:], 4).
  expectColumns(columnsOf("fft", { of: "a", bins: 4 }, vectors(256, "a"), block), {
    "a.fft_0": 0.5000335827311201,
    "a.fft_1": 0.1252655880657375,
    "a.fft_2": 8.18000160987711e-5,
    "a.fft_3": 5.260476070264393e-5,
  });
  expect(complaint("fft", { of: "a", bins: 129 }, vectors(256, "a"))).toBe(
    'bins: 129 are more than the 128 frequencies of "a"',
  );
});

describe("several axes", () => {
  test("corr is Pearson's, 0 for an axis that stands still", () => {
    const other = Float32Array.from(fixture, (x, n) => Math.cos((2 * Math.PI * 3 * n) / 100) + 0.2 * x);
    const still = new Float32Array(256).fill(9.81);
    const params = {
      of: [
        ["x", "y"],
        ["x", "z"],
        ["x", "x"],
      ],
    };
    expectColumns(columnsOf("corr", params, vectors(256, "x", "y", "z"), block, other, still), {
      corr_x_y: 0.23934846297699475,
      corr_x_z: 0,
      corr_x_x: 1,
    });
  });

  test("sma is the mean sum of magnitudes", () => {
    const [x, y] = [Float32Array.of(1, -2), Float32Array.of(-3, 5)];
    expectColumns(columnsOf("sma", { of: ["x", "y"] }, vectors(2, "x", "y"), x, y), { sma_x_y: 5.5 });
  });

  test("angle is between the means and a direction", () => {
    const axes = [Float32Array.of(2, 0), Float32Array.of(0, 0), Float32Array.of(0, 2)];
    const input = vectors(2, "x", "y", "z");
    const toward = (to: readonly number[]) => columnsOf("angle", { of: ["x", "y", "z"], to }, input, ...axes);
    expectColumns(toward([0, 0, 1]), { angle_x_y_z: Math.PI / 4 });
    expectColumns(toward([0, 3, 0]), { angle_x_y_z: Math.PI / 2 });
    expectColumns(toward([-1, 0, -1]), { angle_x_y_z: Math.PI });
  });

  test("vectors of different lengths do not go together", () => {
    const input: Input = {
      fields: [
        { name: "x", length: 4 },
        { name: "y", length: 8 },
      ],
      spacingMs: undefined,
    };
    expect(complaint("sma", { of: ["x", "y"] }, input)).toBe(
      'of: expected vectors of one length: "x" has 4 samples, "y" 8',
    );
  });
});

describe("as a step", () => {
  const input = vectors(2, "a");

  test("the numbers become fields, and all others pass", () => {
    const { instance, output, rows } = stepOf("stats", { of: "a", get: ["min", "max"] }, input);
    expect(output.fields.map(({ name }) => name)).toEqual(["a", "a.min", "a.max"]);
    const a = Float32Array.of(1, 2);
    instance.push(row(0, a));
    instance.push(row(1, null));
    expect(rows.map(({ values }) => values)).toEqual([
      [a, 1, 2],
      [null, null, null],
    ]);
  });

  test("a number made of a filled block is filled", () => {
    const { instance, rows } = stepOf("stats", { of: "a", get: ["min"] }, input);
    instance.push({ ...row(0, Float32Array.of(1, 2)), filled: [true] });
    expect(rows[0]?.filled).toEqual([true, true]);
  });

  test("asks its source for the block, not for the numbers", () => {
    const operator = stepOperators.stats!;
    const params = operator.params.parse({ of: "a", get: ["min"] });
    expect(operator.reads(params, ["a.min", "temp"])).toEqual(["temp", "a"]);
  });

  test("a field of the same name is refused", () => {
    const twice = {
      fields: [
        { name: "a", length: 2 },
        { name: "a.min", length: 1 },
      ],
      spacingMs: undefined,
    };
    expect(() => stepOf("stats", { of: "a", get: ["min"] }, twice)).toThrow('field "a.min" is made twice');
  });
});
