import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

const program = (wrap: string) => `
import { getHeapSpaceStatistics } from "node:v8";
import { Worker } from "node:worker_threads";
import { keepHeapSmall, spawnInSmallHeap } from "./dist/cli/small-heap.js";
const script = 'require("node:worker_threads").parentPort.postMessage(1)';
const spawn = () => new Worker(script, { eval: true, execArgv: [] });
const worker = (${wrap})(spawn)();
await new Promise((resolve) => worker.on("message", resolve));
let garbage = [];
for (let i = 0; i < 3e6; i++) garbage = i % 20_000 === 0 ? [] : (garbage.push({ i }), garbage);
const { physical_space_size } = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
process.stdout.write(String(physical_space_size / 1e6));
`;

test.each([
  ["as V8 has it", "(spawn) => spawn", 8, 64],
  ["kept small", "spawnInSmallHeap", 1, 6],
  ["kept small from the start", "keepHeapSmall() ?? spawnInSmallHeap", 1, 4],
])("the young generation of a process with a thread, %s", (_, wrap, minMb, maxMb) => {
  const args = ["--input-type=module", "--eval", program(wrap)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(Number(stdout), stderr).toBeGreaterThan(minMb);
  expect(Number(stdout), stderr).toBeLessThan(maxMb);
});
