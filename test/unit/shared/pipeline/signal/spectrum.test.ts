// Power over frequency, against SciPy's periodogram and welch.

import { describe, expect, test } from "vitest";
import { powerBetween, spectralProperty } from "../../../../../shared/pipeline/signal/spectral-shape.js";
import { Spectrum } from "../../../../../shared/pipeline/signal/spectrum.js";
import { taperNames, taperWeights } from "../../../../../shared/pipeline/signal/taper.js";
import { FIXTURE_RATE_HZ, fixture, fixtureSpectrum } from "../../../../support/signal.js";

const hzPerBin = FIXTURE_RATE_HZ / fixture.length;
const power = new Spectrum({ length: 256, segment: 256, taper: "hann" }).of(fixture, {});

describe("of a known signal", () => {
  const band = (lowHz: number, highHz: number) =>
    powerBetween(power, Math.ceil(lowHz / hzPerBin), Math.ceil(highHz / hzPerBin));

  test("band powers", () => {
    expect(band(0, 10)).toBeCloseTo(fixtureSpectrum.band0To10, 12);
    expect(band(10, 30)).toBeCloseTo(fixtureSpectrum.band10To30, 12);
    expect(band(30, 50)).toBeCloseTo(fixtureSpectrum.band30To50, 12);
  });

  test.each([
    ["total", fixtureSpectrum.total],
    ["centroid", fixtureSpectrum.centroidHz],
    ["peak_hz", fixtureSpectrum.peakHz],
    ["entropy", fixtureSpectrum.entropy],
    ["rolloff", fixtureSpectrum.rolloffHz],
    ["flatness", fixtureSpectrum.flatness],
  ] as const)("%s is %d", (name, expected) => {
    expect(spectralProperty(name, power, hzPerBin)).toBeCloseTo(expected, 12);
  });

  test("averaged over half overlapping segments it is SciPy's welch", () => {
    const averaged = new Spectrum({ length: 256, segment: 64, taper: "hann" }).of(fixture, {});
    const expected = [
      0.001734072345716986, 0.0003231883673507987, 0.04188517588315635, 0.3164807723369936,
      0.14069870667723688, 0.0007174825459444837,
    ];
    expected.forEach((value, k) => {
      expect(averaged[k]).toBeCloseTo(value, 14);
    });
    expect(spectralProperty("centroid", averaged, FIXTURE_RATE_HZ / 64)).toBeCloseTo(7.98470495527955, 12);
  });

  test("a block without power has 0 of everything", () => {
    const silent = new Spectrum({ length: 64, segment: 64, taper: "hann" }).of(
      new Float64Array(64).fill(3),
      {},
    );
    for (const name of ["centroid", "peak_hz", "entropy", "total", "rolloff", "flatness"] as const)
      expect(spectralProperty(name, silent, 1)).toBe(0);
  });
});

describe("one spectrum for all who ask", () => {
  const spectrum = new Spectrum({ length: 4, segment: 4, taper: "rect" });
  // x = a sin(pi n / 2): power a^2 / 2 in bin 1.
  const sine = (size: number) => Float32Array.of(0, size, 0, -size);

  test("is computed once while the row is the same", () => {
    const row = {};
    const [one, two] = [sine(1), sine(2)];
    const power = spectrum.of(one, row);
    expect(spectrum.of(two, row)[1]).toBeCloseTo(2, 12);
    expect(spectrum.of(one, row)).toBe(power);
    expect(power[1]).toBeCloseTo(0.5, 12);
  });

  test("is computed again for the next row, even if its samples lie in the same array", () => {
    const block = sine(1);
    spectrum.of(block, {});
    block.set(sine(3));
    expect(spectrum.of(block, {})[1]).toBeCloseTo(4.5, 12);
  });

  test("stays right when a row has more blocks than are remembered", () => {
    const row = {};
    const blocks = Array.from({ length: 20 }, (_, i) => sine(i + 1));
    for (const [i, block] of [...blocks, ...blocks].entries())
      expect(spectrum.of(block, row)[1]).toBeCloseTo(((i % 20) + 1) ** 2 / 2, 12);
  });
});

describe("tapers are SciPy's periodic windows", () => {
  const expected = {
    hann: [0, 0.14644660940672627, 0.5, 0.8535533905932737, 1, 0.8535533905932737, 0.5, 0.14644660940672627],
    hamming: [
      0.08, 0.21473088065418822, 0.54, 0.865269119345812, 1, 0.865269119345812, 0.54, 0.21473088065418822,
    ],
    blackman: [
      0, 0.06644660940672624, 0.34, 0.7735533905932738, 1, 0.7735533905932738, 0.34, 0.06644660940672624,
    ],
    rect: [1, 1, 1, 1, 1, 1, 1, 1],
  } as const;

  test.each(taperNames)("%s", (name) => {
    taperWeights(name, 8).forEach((weight, n) => {
      expect(weight).toBeCloseTo(expected[name][n]!, 15);
    });
  });
});
