import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { StdinBinding } from "../../../../../device/ingest/sources/binding.js";
import { LineFeed, StdinSource } from "../../../../../device/ingest/sources/stdin.js";
import { bound, createSourceLab } from "../../../../support/source-lab.js";
import { createGate } from "../../../../support/transport-ends.js";
import { until } from "../../../../support/until.js";

function open(
  feed: LineFeed,
  options: { readonly hasHeader?: boolean; readonly take?: () => Promise<void> } = {},
) {
  const { hasHeader = false, take = async () => undefined } = options;
  const lab = createSourceLab({ sink: { take } });
  const source = new StdinSource(
    bound<StdinBinding>({ kind: "stdin", speed: undefined }, { hasHeader }),
    lab.context,
    feed,
  );
  return Object.assign(lab, { source });
}

test("each line is a message, the last one without its end too; then the source ends", async () => {
  const input = new PassThrough();
  const lab = open(new LineFeed(input));
  input.write("a\r\nb");
  input.write("c\n\nd");
  input.end();
  await until(() => lab.ended.length === 1);
  expect(lab.texts).toEqual(["a", "bc", "d"]);
  expect(lab.taken[0]).toMatchObject({ source: "s", topic: "stdin" });
  expect(lab.taken[0]).not.toHaveProperty("position");
});

test("what a source has not taken is the next one's, its header too", async () => {
  const input = new PassThrough();
  const feed = new LineFeed(input);
  const gate = createGate();
  const first = open(feed, { hasHeader: true, take: () => gate.opened });
  input.write("t,v\n1\n2\n3");
  await until(() => first.taken.length === 1);
  const closed = first.source.close();
  gate.open();
  await closed;
  const second = open(feed, { hasHeader: true });
  input.end("3\n");
  await until(() => second.ended.length === 1);
  expect(first.texts).toEqual(["t,v\n1"]);
  expect(second.texts).toEqual(["t,v\n2", "t,v\n33"]);
  expect(first.ended).toEqual([]);
});

test("a line that is too long is skipped and counted", async () => {
  const input = new PassThrough();
  const lab = open(new LineFeed(input));
  input.end(`${"x".repeat(300_000)}\nok\n`);
  await until(() => lab.ended.length === 1);
  expect(lab.texts).toEqual(["ok"]);
  expect(lab.counters.get("telemetry.line-too-long")).toBe(1);
});

test("closing it does not wait for a line that may never come", async () => {
  const lab = open(new LineFeed(new PassThrough()));
  await lab.source.close();
  expect(lab.ended).toEqual([]);
});
