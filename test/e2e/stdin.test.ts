// The standard input as a source of a real process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Says what it has taken after two lines, closes the source and has nothing else to do. */
const program = `
import { systemClock } from "./dist/shared/clock.js";
import { stdinKind } from "./dist/device/ingest/sources/stdin.js";
const taken = [];
let hasTwo;
const two = new Promise((resolve) => { hasTwo = resolve; });
const sink = { take: async ({ payload }) => { if (taken.push(Buffer.from(payload).toString()) === 2) hasTwo(); } };
const limits = { rate: undefined, burst: 1, messages: 10, bytes: 1000 };
const source = { name: "s", filter: "", hasHeader: false, binding: { kind: "stdin", topic: undefined, speed: undefined, limits } };
const opened = await stdinKind.open([source], { sink, clock: systemClock, log: { note() {} }, onEnd() {} });
await two;
await opened.close();
process.stdout.write(taken.join(" "));
`;

test("a process whose source is closed ends, though the pipe stays open", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdin.write("a\nb\nhalf a li");
  const [code] = await once(child, "close", { signal: AbortSignal.timeout(20_000) });
  expect([code, said]).toEqual([0, "a b"]);
});
