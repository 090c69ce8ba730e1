// Whole fleets in virtual time, for users of the package. Inside, import the file.

export { type ChaosLab, type ChaosReport, createChaosLab } from "./chaos/chaos.js";
export { VirtualClock } from "./clock.js";
export { createFederation, type Federation, type FederationOptions } from "./federation.js";
export type { Progress } from "./progress.js";
export type { RoundReport, SimulationReport } from "./report.js";
export { renderReport } from "./report-html.js";
export { type SimulateOptions, simulate } from "./simulate.js";
