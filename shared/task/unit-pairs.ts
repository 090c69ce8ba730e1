// Pairs of units by name: what a value in the first is multiplied by, and what is added, for the second.

import type { ConvertSpec } from "./decode-spec.js";

/** "F to C" and the others. Exact where the units are defined exactly. */
export const conversions: Readonly<Record<string, ConvertSpec>> = {
  "F to C": { times: 5 / 9, plus: -160 / 9 },
  "C to F": { times: 1.8, plus: 32 },
  "K to C": { times: 1, plus: -273.15 },
  "C to K": { times: 1, plus: 273.15 },
  ...both("Wh", "kWh", 1e-3),
  ...both("W", "kW", 1e-3),
  ...both("J", "Wh", 1 / 3600),
  ...both("mV", "V", 1e-3),
  ...both("mA", "A", 1e-3),
  ...both("Pa", "hPa", 1e-2),
  ...both("kPa", "hPa", 10),
  ...both("bar", "hPa", 1e3),
  ...both("psi", "kPa", 6.894757293168361),
  ...both("mmHg", "hPa", 1.33322387415),
  ...both("inHg", "hPa", 33.863886666667),
  ...both("km/h", "m/s", 1 / 3.6),
  ...both("mph", "m/s", 0.44704),
  ...both("kn", "m/s", 1852 / 3600),
  ...both("mm", "m", 1e-3),
  ...both("cm", "m", 1e-2),
  ...both("in", "mm", 25.4),
  ...both("ft", "m", 0.3048),
  ...both("mi", "km", 1.609344),
  ...both("l", "m3", 1e-3),
  ...both("gal", "l", 3.785411784),
  ...both("lb", "kg", 0.45359237),
  ...both("g", "m/s2", 9.80665),
  ...both("deg", "rad", Math.PI / 180),
  ...both("rpm", "Hz", 1 / 60),
  ...both("%", "1", 1e-2),
  ...both("ppb", "ppm", 1e-3),
  ...both("ms", "s", 1e-3),
  ...both("min", "s", 60),
  ...both("h", "s", 3600),
};

function both(from: string, to: string, times: number): Record<string, ConvertSpec> {
  return { [`${from} to ${to}`]: { times, plus: 0 }, [`${to} to ${from}`]: { times: 1 / times, plus: 0 } };
}
