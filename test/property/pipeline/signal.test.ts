// Laws of the signal kernels: transforms, spectra, order statistics and filters.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlockStatistics } from "../../../shared/pipeline/signal/block-statistics.js";
import { butterworth } from "../../../shared/pipeline/signal/butterworth.js";
import { Cascade } from "../../../shared/pipeline/signal/cascade.js";
import { createComplexFft } from "../../../shared/pipeline/signal/complex-fft.js";
import { createRealFft } from "../../../shared/pipeline/signal/real-fft.js";
import { powerBetween } from "../../../shared/pipeline/signal/spectral-shape.js";
import { Spectrum } from "../../../shared/pipeline/signal/spectrum.js";
import { taperNames } from "../../../shared/pipeline/signal/taper.js";
import type { PipelineRow } from "../../../shared/pipeline/types.js";
import { featureOf, row, stepOf } from "../../support/pipeline.js";

// Steps of 2^-20: nothing so small that it would count as nothing.
const sample = fc.integer({ min: -(2 ** 27), max: 2 ** 27 }).map((steps) => steps / 2 ** 20);

function samples(minLength: number, maxLength: number): fc.Arbitrary<Float64Array> {
  return fc.array(sample, { minLength, maxLength }).map((drawn) => Float64Array.from(drawn));
}

// Float64 sums of up to some hundred values of at most 100.
const DIGITS = 8;

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, DIGITS);
}

/** The definition, in length^2 steps. */
function naiveTransform(re: Float64Array, im: Float64Array) {
  const length = re.length;
  const out = { re: new Float64Array(length), im: new Float64Array(length) };
  for (let k = 0; k < length; k++) {
    for (let n = 0; n < length; n++) {
      const angle = (-2 * Math.PI * ((k * n) % length)) / length;
      out.re[k]! += re[n]! * Math.cos(angle) - im[n]! * Math.sin(angle);
      out.im[k]! += re[n]! * Math.sin(angle) + im[n]! * Math.cos(angle);
    }
  }
  return out;
}

function realTransform(x: Float64Array) {
  const fft = createRealFft(x.length);
  const out = { re: new Float64Array(fft.bins), im: new Float64Array(fft.bins) };
  fft.transform(x, out.re, out.im);
  return out;
}

describe("transform", () => {
  test("of any length is the definition's", () => {
    fc.assert(
      fc.property(samples(1, 80), (re) => {
        const im = re.toReversed();
        const expected = naiveTransform(re, im);
        createComplexFft(re.length).transform(re, im);
        expectClose(re, expected.re);
        expectClose(im, expected.im);
      }),
    );
  });

  test("of real samples is the first half of the complex one", () => {
    fc.assert(
      fc.property(samples(2, 80), (x) => {
        const expected = naiveTransform(x, new Float64Array(x.length));
        const { re, im } = realTransform(x);
        expect(re).toHaveLength(Math.floor(x.length / 2) + 1);
        expectClose(re, expected.re.subarray(0, re.length));
        expectClose(im, expected.im.subarray(0, im.length));
      }),
    );
  });

  test("forth and back is where it began, times the length", () => {
    fc.assert(
      fc.property(samples(1, 300), (x) => {
        const re = x.slice();
        const im = new Float64Array(x.length);
        const fft = createComplexFft(x.length);
        fft.transform(re, im);
        fft.transform(im, re);
        expectClose(
          re.map((value) => value / x.length),
          x,
        );
        expectClose(
          im.map((value) => value / x.length),
          new Float64Array(x.length),
        );
      }),
    );
  });

  test("is linear", () => {
    fc.assert(
      fc.property(samples(64, 64), samples(64, 64), sample, (x, y, factor) => {
        const sum = realTransform(x.map((value, n) => value + (factor / 100) * y[n]!));
        const a = realTransform(x);
        const b = realTransform(y);
        expectClose(
          sum.re,
          a.re.map((value, k) => value + (factor / 100) * b.re[k]!),
        );
        expectClose(
          sum.im,
          a.im.map((value, k) => value + (factor / 100) * b.im[k]!),
        );
      }),
    );
  });

  test.each([1024, 1000, 997, 65_536])("of a pure tone of %d samples is one line", (length) => {
    const bin = Math.floor(length / 3);
    const x = Float64Array.from({ length }, (_, n) =>
      Math.cos((2 * Math.PI * ((bin * n) % length)) / length),
    );
    const { re, im } = realTransform(x);
    re.forEach((value, k) => {
      expect(Math.abs(value - (k === bin ? length / 2 : 0))).toBeLessThan(1e-9 * length);
      expect(Math.abs(im[k]!)).toBeLessThan(1e-9 * length);
    });
  });
});

describe("spectrum", () => {
  test("an untapered block's powers add up to its variance (Parseval)", () => {
    fc.assert(
      fc.property(samples(2, 200), (x) => {
        const { length } = x;
        const power = new Spectrum({ length, segment: length, taper: "rect" }).of(x, {});
        const mean = x.reduce((sum, value) => sum + value, 0) / length;
        const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
        expect(powerBetween(power, 0, power.length)).toBeCloseTo(variance, DIGITS);
      }),
    );
  });

  test("does not see a block's level, and grows with the square of its size", () => {
    fc.assert(
      fc.property(samples(32, 32), sample, fc.constantFrom(...taperNames), (x, level, taper) => {
        const options = { length: 32, segment: 16, taper };
        const plain = new Spectrum(options).of(x, {});
        const changed = new Spectrum(options).of(
          x.map((value) => 3 * value + level),
          {},
        );
        expectClose(
          changed.map((value) => value / 9),
          plain,
        );
      }),
    );
  });
});

describe("statistics", () => {
  test("order statistics are those of the sorted samples", () => {
    fc.assert(
      fc.property(samples(1, 60), fc.double({ min: 0, max: 1, noNaN: true }), (x, p) => {
        const statistics = new BlockStatistics(x.length);
        statistics.load(x);
        const quantile = (values: Float64Array, share: number) => {
          const sorted = values.toSorted();
          const rank = share * (sorted.length - 1);
          const low = sorted[Math.floor(rank)]!;
          return low + (sorted[Math.ceil(rank)]! - low) * (rank - Math.floor(rank));
        };
        expect(statistics.get(p)).toBeCloseTo(quantile(x, p), DIGITS);
        const median = quantile(x, 0.5);
        const deviations = x.map((value) => Math.abs(value - median));
        expect(statistics.get("mad")).toBeCloseTo(quantile(deviations, 0.5), DIGITS);
      }),
    );
  });

  test("shape does not see level and size", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 60 }),
        fc.integer({ min: -1000, max: 1000 }),
        (drawn, level) => {
          const statistics = new BlockStatistics(drawn.length);
          const shape = () => (["skew", "kurtosis", "zcr"] as const).map((name) => statistics.get(name));
          statistics.load(Float64Array.from(drawn));
          const plain = shape();
          // Powers of two and sums of whole numbers lose no digits; the mean may, and with it a sample at the mean.
          fc.pre(Number.isInteger(drawn.reduce((sum, x) => sum + x, 0) / drawn.length));
          statistics.load(Float64Array.from(drawn, (x) => 4 * (x + level)));
          expectClose(shape(), plain);
        },
      ),
    );
  });
});

describe("filter", () => {
  const options = fc.record({
    pass: fc.oneof(
      fc.record({
        kind: fc.constantFrom("lowpass" as const, "highpass" as const),
        cutoffHz: fc.double({ min: 0.5, max: 45, noNaN: true }),
      }),
      fc
        .tuple(fc.double({ min: 0.5, max: 20, noNaN: true }), fc.double({ min: 1, max: 25, noNaN: true }))
        .map(([lowHz, widthHz]) => ({ kind: "band" as const, lowHz, highHz: lowHz + widthHz })),
    ),
    order: fc.integer({ min: 1, max: 6 }),
    rateHz: fc.constant(100),
  });

  test("a constant passes a low pass whole, and no other, from the first sample on", () => {
    fc.assert(
      fc.property(options, sample, (drawn, level) => {
        const x = new Float64Array(50).fill(level);
        new Cascade(butterworth(drawn)).run(x);
        for (const value of x) expect(value).toBeCloseTo(drawn.pass.kind === "lowpass" ? level : 0, 6);
      }),
    );
  });

  test("does not see how a stream is cut into blocks", () => {
    fc.assert(
      fc.property(options, samples(2, 80), fc.integer({ min: 1, max: 79 }), (drawn, x, cut) => {
        fc.pre(cut < x.length);
        const whole = x.slice();
        new Cascade(butterworth(drawn)).run(whole);
        const cascade = new Cascade(butterworth(drawn));
        const head = x.slice(0, cut);
        const tail = x.slice(cut);
        cascade.run(head);
        cascade.run(tail);
        expect([...head, ...tail]).toEqual([...whole]);
      }),
    );
  });

  test("is stable: what it was given dies away", () => {
    fc.assert(
      fc.property(options, (drawn) => {
        const cascade = new Cascade(butterworth(drawn));
        const x = new Float64Array(20_000);
        x[1] = 1;
        cascade.run(x);
        expect(Math.abs(x.at(-1)!)).toBeLessThan(1e-9);
      }),
      { numRuns: 50 },
    );
  });
});

describe("frame", () => {
  /** A stream of samples 10 ms apart, in blocks of one length. */
  function blocksOf(stream: Float32Array, length: number): PipelineRow[] {
    const blocks = Math.floor(stream.length / length);
    return Array.from({ length: blocks }, (_, i) =>
      row(10 * i * length, stream.slice(i * length, (i + 1) * length)),
    );
  }

  test("frames are those of the whole stream, whatever the blocks they came in", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 2, max: 24 }),
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 1, max: 12 }),
        (length, size, drawnEvery, blocks) => {
          const every = Math.min(drawnEvery, size);
          const stream = Float32Array.from({ length: length * blocks }, (_, n) => Math.sin(n));
          const input = { fields: [{ name: "a", length }], spacingMs: undefined };
          const { instance, rows } = stepOf("frame", { of: "a", size, every, rate: "100Hz" }, input);
          for (const block of blocksOf(stream, length)) {
            instance.advance(block.timeMs);
            instance.push(block);
          }
          const expected: PipelineRow[] = [];
          for (let start = 0; start + size <= stream.length; start += every)
            expected.push(row(10 * start, stream.slice(start, start + size)));
          expect(rows).toEqual(expected);
        },
      ),
    );
  });

  test("every frame is a stretch of the stream at its own time, whichever blocks were lost", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), (kept) => {
        const stream = Float32Array.from({ length: 6 * kept.length }, (_, n) => n);
        const input = { fields: [{ name: "a", length: 6 }], spacingMs: undefined };
        const { instance, rows, counters } = stepOf(
          "frame",
          { of: "a", size: 9, every: 5, rate: "100Hz" },
          input,
        );
        const given = blocksOf(stream, 6).filter((_, i) => kept[i]);
        for (const block of given) instance.push(block);
        for (const { timeMs, values } of rows)
          expect(values[0]).toEqual(stream.slice(timeMs / 10, timeMs / 10 + 9));
        const gaps = given.filter(({ timeMs }, i) => i > 0 && timeMs - given[i - 1]!.timeMs > 60).length;
        // A gap right behind a frame leaves nothing that would have to be thrown away.
        expect(counters.get("frame.gap")).toBeLessThanOrEqual(gaps);
      }),
    );
  });
});

test("operators that want the same spectrum get what each would have computed alone", () => {
  fc.assert(
    fc.property(fc.array(samples(16, 16), { minLength: 1, maxLength: 12 }), (drawn) => {
      const names = drawn.map((_, i) => `a${i}`);
      const input = { fields: names.map((name) => ({ name, length: 16 })), spacingMs: undefined };
      const both = ["bands", "spectrum"].map((operator) =>
        featureOf(
          operator,
          operator === "bands"
            ? { of: names, edges: [1, 3, 8], rate: "16Hz" }
            : { of: names, get: ["total", "centroid"], rate: "16Hz" },
          input,
        ),
      );
      const block = row(0, ...drawn.map((x) => Float32Array.from(x)));
      const together = both.map(({ push }) => push(block));
      // Each alone, of copies that nobody has seen.
      const alone = both.map(({ push }) => push(row(0, ...drawn.map((x) => Float32Array.from(x)))));
      expect(together).toEqual(alone);
    }),
  );
});
