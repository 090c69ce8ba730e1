// The server, for users of the package. Inside, import the file.

export type { ServerFact } from "./fact.js";
export type { DeviceView } from "./fleet/registry.js";
export type { ModelVersion } from "./model/registry.js";
export type { ServerLimits, ServerOptions } from "./options.js";
export { createServer, type Server } from "./server.js";
export type { RoundStatus, ServerStatus } from "./status.js";
export { serverMigrations } from "./storage.js";
