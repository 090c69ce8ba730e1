// Whether the device lives, and whether it predicts.

import type { HttpPart } from "./port.js";

/** GET /health/live: the process answers. GET /health/ready: a verified version makes predictions; 503 until then. */
export const healthPart: HttpPart = (app, { agent }) => {
  app.get("/health/live", async () => ({ status: "ok" }));
  app.get("/health/ready", async (_, reply) => {
    const { taskHash, serving } = agent.status();
    if (serving !== undefined) return { status: "ok" };
    const reason = taskHash === undefined ? "no task yet" : "no version to serve yet";
    return reply.code(503).send({ status: "not-ready", reason });
  });
};
