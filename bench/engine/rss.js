// Memory of a process that trains the MLP: MB resident after so many steps, and whether tfjs was loaded.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const MB = 1e6;

export function measureRss(steps) {
  const script = fileURLToPath(import.meta.url);
  const args = [script, "--child", String(steps)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the process whose memory is measured failed: ${stderr}`);
  return JSON.parse(stdout);
}

if (process.argv[2] === "--child") {
  const { createRuntime } = await import("../../dist/shared/model/create-runtime.js");
  const { drawParams, makeBatch, models } = await import("./models.js");
  const { mlp } = models;
  const model = await (await createRuntime("auto")).model(mlp.definition);
  model.load(drawParams(model.spec));
  model.compile({ optimizer: mlp.optimizer });
  const { x, y } = makeBatch(mlp);
  const steps = Number(process.argv[3]);
  const mb = {};
  for (let step = 1; step <= steps; step++) {
    await model.step(x, y, mlp.batch);
    if ([1, 10, 100, 1000, 10_000, 50_000, 100_000].includes(step))
      mb[step] = Math.round(process.memoryUsage().rss / MB);
  }
  // tfjs is CommonJS: it is in this cache also when `import` loaded it.
  const { createRequire } = await import("node:module");
  const loaded = Object.keys(createRequire(import.meta.url).cache ?? {});
  process.stdout.write(
    JSON.stringify({ mb, tfjsLoaded: loaded.some((name) => name.includes("@tensorflow")) }),
  );
}
