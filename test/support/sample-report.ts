// A simulation's report for tests: one completed round and one that was abandoned.

import type { SimulationReport } from "../../simulator/report.js";

export const sampleReport: SimulationReport = {
  task: "pumps",
  seed: "1",
  engine: "tfjs-wasm",
  devices: 8,
  metric: "rmse",
  rounds: [
    { round: 1, value: 2.5, accepted: 8, rejected: 0, bytesUp: 51_456, bytesDown: 65_704 },
    { round: 2, value: null, accepted: 3, rejected: 1, bytesUp: 1024, bytesDown: 1024 },
  ],
  updates: { accepted: 27, rejected: 1, duplicate: 2 },
  federated: 2.5,
  metrics: { rmse: 2.5, mae: 1.75, loss: 0.5 },
  localOnly: 5,
  localDevices: 8,
  diverged: [],
  naive: 2,
  naiveRule: "persistence",
  testRows: 4551,
  predictions: 8928,
  stopped: "max-rounds",
  modelHash: "5f1211ce9e0aeeac3b7ea9d44d5f57b3c34dc39b1a69cf2adcf659ee28f50c2e",
  counters: { server: { "update-accepted": 11 }, devices: { "range.out": 306 } },
  seconds: 15.1,
};
