// Training and inference speed of the engines, as ratios in one run: `npm run bench:engine [-- --json --leak --rounds N
// --models mlp,gru --only fused,torch --skip tfjsCpu]`. Every engine has a process of its own per model; all are asked in
// turn, burst by burst, and medians count. Then products by shape, clients a second, and memory: `--only` and `--skip` know
// these as gemm, clients and rss. What cannot run is null, and standard error says why.

import { cpus } from "node:os";
import { measureClients } from "./engine/clients.js";
import { measureGemm } from "./engine/gemm.js";
import { models } from "./engine/models.js";
import { measureRss } from "./engine/rss.js";
import { median, startRunner } from "./engine/runners.js";

const ENGINES = {
  fused: "fused-wasm",
  plainJs: "fused-js",
  tfjsWasm: "stock-wasm",
  tfjsCpu: "stock-cpu",
  ownTfjs: "tfjs-wasm",
  torch: "torch",
};
const WARM_UP_MS = 1500;
const BURST_MS = 250;

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const listed = (name, allowed, fallback) => {
  const items = option(name)?.split(",") ?? fallback;
  const unknown = items.find((item) => !allowed.includes(item));
  if (unknown !== undefined) throw new Error(`--${name} ${unknown}: expected some of ${allowed.join(",")}`);
  return items;
};
const rounds = Number(option("rounds") ?? 7);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds ${option("rounds")}: expected 1 or more`);
const names = listed("models", Object.keys(models), Object.keys(models));
const parts = [...Object.keys(ENGINES), "gemm", "clients", "rss"];
const skipped = listed("skip", parts, []);
const wanted = listed("only", parts, parts).filter((part) => !skipped.includes(part));

const results = { machine: machine(), models: {}, inferenceUs: {} };
for (const name of names) {
  const { train, infer } = await measureModel(name);
  results.models[name] = train;
  results.inferenceUs[name] = Object.fromEntries(
    Object.entries(infer).map(([engine, rate]) => [engine, rate === null ? null : 1e6 / rate]),
  );
}
if (wanted.includes("gemm")) results.gemm = measureGemm();
if (wanted.includes("clients"))
  results.clientsPerSecond = { one: await measureClients(1), two: await measureClients(2) };
if (wanted.includes("rss")) results.rss = measureRss(process.argv.includes("--leak") ? 100_000 : 10_000);
report(results);

async function measureModel(name) {
  const runners = {};
  for (const [key, engine] of Object.entries(ENGINES))
    runners[key] = wanted.includes(key) ? await startRunner(engine, name) : null;
  const running = Object.entries(runners).filter(([, runner]) => runner !== null);
  const result = {};
  for (const what of ["train", "infer"]) {
    const rates = Object.fromEntries(Object.keys(ENGINES).map((key) => [key, []]));
    for (const [, runner] of running) await runner.ask(what, WARM_UP_MS);
    for (let round = 0; round < rounds; round++)
      for (const [key, runner] of running) rates[key].push(await runner.ask(what, BURST_MS));
    result[what] = Object.fromEntries(Object.entries(rates).map(([key, list]) => [key, median(list)]));
  }
  for (const [, runner] of running) runner.stop();
  return result;
}

function machine() {
  const [cpu] = cpus();
  return `${cpu?.model.trim() ?? "cpu"} x ${cpus().length}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
}

function report(all) {
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify(all)}\n`);
    return;
  }
  const lines = [all.machine];
  if (wanted.some((part) => part in ENGINES)) {
    lines.push("", "training, steps/s (fused over it)");
    for (const [name, speeds] of Object.entries(all.models)) lines.push(line(name, speeds, (a, b) => a / b));
    lines.push("", "inference of one row, us (it over fused)");
    for (const [name, times] of Object.entries(all.inferenceUs))
      lines.push(line(name, times, (a, b) => b / a));
  }
  if (all.gemm !== undefined) lines.push("", ...all.gemm.map(describeGemm));
  if (all.clientsPerSecond !== undefined)
    lines.push(
      "",
      `clients/s: ${all.clientsPerSecond.one.toFixed(0)} on one worker, ${all.clientsPerSecond.two.toFixed(0)} on two`,
    );
  if (all.rss !== undefined) lines.push("", `memory: ${JSON.stringify(all.rss)}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

function line(name, values, ratio) {
  const shown = Object.entries(values).map(([key, value]) => {
    if (value === null) return `${key} -`;
    const figure = value >= 100 ? value.toFixed(0) : value.toPrecision(3);
    return key === "fused" || values.fused === null
      ? `${key} ${figure}`
      : `${key} ${figure} (${ratio(values.fused, value).toFixed(1)}x)`;
  });
  return `  ${name.padEnd(12)} ${shown.join("  ")}`;
}

function describeGemm({ shape, gflops, ofBest, native }) {
  const c = native === null ? "" : `, native C ${native.toFixed(1)}`;
  return `product ${shape.padEnd(11)} ${gflops.toFixed(1)} GFLOP/s, ${(100 * ofBest).toFixed(0)} % of the best tile${c}`;
}
