// Butterworth filters, trends and envelopes, against SciPy.

import { describe, expect, test } from "vitest";
import {
  type ButterworthOptions,
  butterworth,
  type Section,
} from "../../../../../shared/pipeline/signal/butterworth.js";
import { Cascade } from "../../../../../shared/pipeline/signal/cascade.js";
import { Envelope } from "../../../../../shared/pipeline/signal/envelope.js";
import { removeLine, removeMean } from "../../../../../shared/pipeline/signal/trend.js";
import { fixture } from "../../../../support/signal.js";

/** |H| of sections at one frequency. */
function gainAt(sections: readonly Section[], hz: number, rateHz: number): number {
  const w = (2 * Math.PI * hz) / rateHz;
  const size = (c0: number, c1: number, c2: number) =>
    Math.hypot(c0 + c1 * Math.cos(w) + c2 * Math.cos(2 * w), c1 * Math.sin(w) + c2 * Math.sin(2 * w));
  return sections.reduce((gain, { b0, b1, b2, a1, a2 }) => (gain * size(b0, b1, b2)) / size(1, a1, a2), 1);
}

interface Case extends ButterworthOptions {
  /** |H| at 2, 5, 10 and 20 Hz. */
  readonly gains: readonly number[];
  /** Samples 0, 1, 10, 100 and 250 of the fixture from sample 3 on, filtered from rest at its first. */
  readonly filtered: readonly number[];
}

const cases: readonly Case[] = [
  {
    pass: { kind: "lowpass", cutoffHz: 0.3 },
    order: 3,
    rateHz: 50,
    gains: [0.0033230908398261955, 0.00019531228702311318, 1.746926235551867e-5, 2.2981893352895863e-7],
    filtered: [
      0.545124368228761, 0.5451241772791239, 0.5466666141416028, 0.03902668066682468, 0.03498654598978784,
    ],
  },
  {
    pass: { kind: "lowpass", cutoffHz: 10 },
    order: 5,
    rateHz: 100,
    gains: [0.9999999629550829, 0.999621480616512, 0.7071067811865471, 0.01788568233972407],
    filtered: [
      0.5451243682287112, 0.5450864088179103, 0.6971847061036752, -0.6090798790603889, 0.6587713980476059,
    ],
  },
  {
    pass: { kind: "highpass", cutoffHz: 20 },
    order: 4,
    rateHz: 100,
    gains: [5.622940041701511e-5, 0.002258420393232284, 0.03996803834887157, 0.7071067811865471],
    filtered: [0, -0.004947856037020395, 0.1992361625184311, 0.21495526144434735, 0.23080534919554366],
  },
  {
    pass: { kind: "band", lowHz: 5, highHz: 15 },
    order: 2,
    rateHz: 100,
    gains: [0.08258615269672386, 0.7071067811865467, 0.9988726960142708, 0.3095174818842784],
    filtered: [0, -0.0019964137115738856, -0.24757389542494074, 0.5759245262099533, -0.2600499468603732],
  },
  {
    pass: { kind: "band", lowHz: 5, highHz: 15 },
    order: 3,
    rateHz: 100,
    gains: [0.02384879784277358, 0.7071067811865477, 0.9999463408376347, 0.18258588306943227],
    filtered: [0, -0.0005356580136414713, -0.24265631192774317, -0.09048371350777207, 0.14855599973574263],
  },
];

describe.each(cases)("$pass.kind of order $order", ({ gains, filtered, ...options }) => {
  const sections = butterworth(options);

  test("lets pass what SciPy's butter lets pass", () => {
    [2, 5, 10, 20].forEach((hz, i) => {
      expect(gainAt(sections, hz, options.rateHz)).toBeCloseTo(gains[i]!, 12);
    });
  });

  test("filters as SciPy's sosfilt, started at rest on the first sample", () => {
    const x = fixture.slice(3);
    new Cascade(sections).run(x);
    // Cut-offs far below the rate lose some digits to the poles' closeness to 1.
    [0, 1, 10, 100, 250].forEach((n, i) => {
      expect(x[n]).toBeCloseTo(filtered[i]!, 11);
    });
  });
});

test("detrending takes out the mean, or the line of least squares", () => {
  const level = Float64Array.of(1, 2, 6);
  removeMean(level);
  expect([...level]).toEqual([-2, -1, 3]);
  const line = fixture.slice();
  removeLine(line);
  const expected = [-0.0913638177265129, 0.7035831584963989, -0.03119144768777158, -0.9589242741276958];
  [0, 1, 100, 255].forEach((n, i) => {
    expect(line[n]).toBeCloseTo(expected[i]!, 12);
  });
});

describe("envelope", () => {
  test("of all frequencies but 0 and half the rate is the analytic signal's magnitude without those", () => {
    const out = new Float64Array(256);
    new Envelope(256).write(fixture, { first: 1, end: 128 }, out);
    // abs(scipy.signal.hilbert(y)), y the fixture without its bins 0 and 128.
    const expected = [1.4805330699959451, 1.2826281656530107, 0.9263166607332111, 0.519432021611495];
    expected.forEach((value, n) => {
      expect(out[n]).toBeCloseTo(value, 12);
    });
  });

  test("of a carrier that swells is its swelling", () => {
    const swelling = (n: number) => 1 + 0.5 * Math.cos((2 * Math.PI * 4 * n) / 512);
    const x = Float64Array.from(
      { length: 512 },
      (_, n) => swelling(n) * Math.sin((2 * Math.PI * 100 * n) / 512),
    );
    const out = new Float64Array(512);
    new Envelope(512).write(x, { first: 90, end: 111 }, out);
    out.forEach((value, n) => {
      expect(value).toBeCloseTo(swelling(n), 12);
    });
  });
});
