// Examples of docs/pipeline.md on blocks of samples, from source to features.

import type { DocsExample } from "./docs-examples.js";

/** How steps and features on signals go together. */
export const signalExamples: readonly DocsExample[] = [
  {
    title: "a machine that vibrates",
    doc: "One message is one block of samples. The rate is said once, with the source. `stats` as a step makes `a.rms` a field, so that a feature can look back at it.",
    yaml: `sources:
  vib:
    mqtt: plant/+/vib
    decode: { samples: { type: i16, channels: [a], length: 1024, rate: 3200Hz, scale: 0.000061 } }
steps:
  shaken: { from: vib, do: [ { stats: { of: a, get: [rms] } } ] }
features:
  from: shaken
  list:
    - stats: { of: a, get: [std, kurtosis, skew, crest, p2p, zcr] }
    - bands: { of: a, edges: [10, 100, 300, 600, 1000, 1600], log10: true }
    - spectrum: { of: a, get: [centroid, peak_hz, entropy] }
    - copy: a.rms
    - rolling: { of: a.rms, over: 24h, get: [mean, std] }
label: none
model: { autoencoder: [16, 8] }`,
    shows: [],
  },
  {
    title: "a person who moves",
    doc: "A wearable sends half a second at a time; the model sees 2.56 s every 1.28 s. Slow acceleration is gravity, and its angle says how the wrist is held.",
    yaml: `sources:
  imu: { mqtt: wear/+/imu, vectors: { ax: 25, ay: 25, az: 25 }, time: { field: t0, unit: ms } }
steps:
  moving:
    from: imu
    do:
      - filter: { of: [ax, ay, az], lowpass: 0.3Hz, order: 3, rate: 50Hz, as: [gx, gy, gz] }
      - frame: { of: [ax, ay, az, gx, gy, gz], size: 128, every: 64, minCover: 95% }
features:
  from: moving
  list:
    - stats: { of: [ax, ay, az], get: [mean, std, mad, rms, skew, kurtosis, iqr, zcr, energy] }
    - sma: { of: [ax, ay, az] }
    - corr: { of: [ [ax, ay], [ax, az], [ay, az] ] }
    - fft: { of: [ax, ay, az], bins: 16, log10: true }
    - angle: { of: [gx, gy, gz], to: [0, 0, 1] }
label: { field: activity }
model: { dense: [32], output: { classification: 6 } }`,
    shows: [],
  },
  {
    title: "a bearing",
    doc: "A fault strikes many times a second, and each strike rings at some thousand Hz. The envelope of the ringing has the strikes in its spectrum.",
    yaml: `sources:
  vib:
    mqtt: plant/+/bearing
    decode: { samples: { type: f32, channels: [a], length: 8192, rate: 12kHz } }
steps:
  struck: { from: vib, do: [ { envelope: { of: a, band: [2kHz, 4kHz], as: env } } ] }
features:
  from: struck
  list:
    - stats: { of: a, get: [kurtosis, crest] }
    - spectrum: { of: env, get: [peak_hz] }
    - bands: { of: env, edges: [100, 110, 155, 165] }
label: none
model: { autoencoder: [4] }`,
    shows: [],
  },
];
