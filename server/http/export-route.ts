// `GET /api/models/:version/export`: a version as one tar archive.

import type { FastifyInstance } from "fastify";
import { archiveOf } from "../../shared/artefact/disk.js";
import { jsonSchema } from "./json-schema.js";
import { modelParamsSchema } from "./schema.js";
import type { ApiSources } from "./views.js";

/** A version lies in memory a few times over while it is packed. */
const AT_ONCE_MAX = 2;

/** Adds the route. */
export function addExportRoute(app: FastifyInstance, { server }: ApiSources): void {
  let packing = 0;
  const schema = {
    summary: "A version as a tar archive: tfjs LayersModel, pipeline, scaler, signed manifest, model card",
    params: jsonSchema(modelParamsSchema, "input"),
    produces: ["application/x-tar"],
  };
  app.get("/api/models/:version/export", { schema }, async (request, reply) => {
    const { version } = modelParamsSchema.parse(request.params);
    if (packing >= AT_ONCE_MAX) {
      const message = `${packing} versions are being packed: try again`;
      return reply.code(503).header("retry-after", "5").send({ error: "busy", message });
    }
    packing += 1;
    try {
      const exported = await server.exported(version);
      if (exported === undefined)
        return await reply
          .code(404)
          .send({ error: "not-found", message: `there is no version ${version} (any more)` });
      const { manifest, files } = exported;
      const name = `${manifest.task}-${version}.tar`;
      const archive = await archiveOf(files, manifest.createdMs);
      return await reply
        .type("application/x-tar")
        .header("content-disposition", `attachment; filename="${name}"`)
        .send(Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength));
    } finally {
      packing -= 1;
    }
  });
}
