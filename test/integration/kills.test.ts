// Real processes, killed at random moments: what they have stored in the end is what one that was left alone would
// have. More rounds: KILLS=200 npx vitest run test/integration/kills.test.ts

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Counters } from "../../shared/counters.js";
import { createPipeline } from "../../shared/pipeline/pipeline.js";
import type { Example } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import { parseTask } from "../../shared/task/parse.js";
import { type KillLab, prepareDevice } from "../support/kill-lab.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import type { Program } from "../support/program.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const KILLS = Number(process.env.KILLS ?? 20);
const ENTITIES = ["a", "b", "c"];
const START_S = Date.UTC(2026, 0, 1) / 1000;
/** From the start of a process to its task being adopted, and some work. */
const MOMENT_MS = 600;

const temp = tempFolder();
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

// State of several kinds, and rows that disorder holds back.
const task = parseTask(`task: linear
entity: "{topic.1}"
sources:
  line: { mqtt: line/+, decode: json, entity: "{tag.pump}", time: { field: ts, unit: s }, late: { disorder: 20s, idle: 24h, ancient: 3660d } }
steps:
  even: { from: line, do: [{ resample: { every: 10s, fill: { hold: 1m } } }] }
features: { from: even, list: [{ copy: [a] }, { lag: { of: a, by: [10s, 1m] } }, { rolling: { of: a, over: 5m, get: [mean, std] } }] }
label: { forecast: { of: a, ahead: 1m } }
rows: { keep: { ring: 100000 }, split: { validation: { share: 20%, by: example } } }
model: { dense: [] }
train: { batch: 8, epochs: 1, optimizer: { sgd: 0.05 } }
rounds: { minExamples: 10, deadline: 2m }
`);

interface Line {
  readonly pump: string;
  readonly ts: number;
  readonly a: number;
}

/** Readings of three pumps, some a little late. */
function linesOf(count: number): readonly Line[] {
  const random = randomStream("kills", "lines");
  return Array.from({ length: count }, (_, i) => {
    const ts = START_S + 5 * Math.floor(i / ENTITIES.length) - Math.floor(15 * random.uniform());
    return { pump: ENTITIES[i % ENTITIES.length]!, ts, a: Math.round(1000 * random.normal()) / 10 };
  });
}

/** What one pipeline makes of all lines; `isWhole`: to the very end, as of a file. */
function examplesOf(lines: readonly Line[], isWhole: boolean): readonly string[] {
  const examples: Example[] = [];
  const sink = { features: () => undefined, example: (example: Example) => void examples.push(example) };
  const pipeline = createPipeline(task.task, { counters: new Counters(), sink });
  for (const { pump, ts, a } of lines)
    pipeline.push({ source: "line", entity: pump, timeMs: 1000 * ts, values: { a } });
  if (isWhole) pipeline.flush();
  return examples.map(({ split, entity, timeMs, label, features }) => {
    const bytes = Buffer.from(features.buffer, features.byteOffset, features.byteLength).toString("hex");
    return [split, entity, timeMs, label, bytes].join(" ");
  });
}

/** Kills the device at random moments, the first ones while it starts; answers how far it had come each time. */
async function killOften(
  lab: KillLab,
  purpose: string,
): Promise<{ last: Program; counts: readonly number[] }> {
  const random = randomStream("kills", purpose);
  const counts: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const device = lab.start();
    if (kill % 4 > 0) await device.said(/task adopted/);
    await sleep(MOMENT_MS * random.uniform() ** 2);
    await device.stop("SIGKILL");
    counts.push(lab.examples().length);
  }
  const last = lab.start();
  closing.push(() => last.stop());
  return { last, counts };
}

/** Of entities that have a row at one time, either may come first: what is live is also moved on by the clock. */
function byEntity(examples: readonly string[]): readonly string[] {
  const entityOf = (example: string) => example.split(" ")[1]!;
  return examples.toSorted((a, b) => (entityOf(a) < entityOf(b) ? -1 : Number(entityOf(a) > entityOf(b))));
}

function folderOf(name: string): string {
  const folder = join(temp.path, name);
  mkdirSync(folder);
  return folder;
}

describe(`killed ${KILLS} times, a device has stored what it would have without`, () => {
  test("of a file", async () => {
    const folder = folderOf("file");
    const lines = linesOf(40_000);
    writeFileSync(join(folder, "line.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const lab = prepareDevice(
      folder,
      task,
      `sources: { line: { file: line.jsonl, limit: { rate: 8000/s } } }\n`,
    );
    const { counts } = await killOften(lab, "file");
    const expected = examplesOf(lines, true);
    expect(counts.filter((count) => count > 0 && count < expected.length).length).toBeGreaterThan(KILLS / 4);
    await until(() => lab.examples().length >= expected.length, 60_000);
    expect(lab.examples()).toEqual(expected);
  }, 120_000);

  test.skipIf(!hasMosquitto)(
    withMosquitto("of a broker that keeps what is not acknowledged"),
    async () => {
      const folder = folderOf("mqtt");
      const mosquitto = await startMosquitto({
        config: ["allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 50"],
      });
      closing.push(() => mosquitto.close());
      const lab = prepareDevice(folder, task, `sources: { line: { broker: "${mosquitto.url}" } }\n`);
      // The subscription is there before the first message, as of a device that has run before.
      const first = lab.start();
      await first.said(/connected to the broker/);
      await first.stop();
      const lines = linesOf(12_000);
      const { session } = openSession("sensor", { endpoint: { url: mosquitto.url } });
      closing.push(() => session.close());
      await until(() => session.isConnected);
      const published = publish(session, lines);
      const { counts } = await killOften(lab, "mqtt");
      await published;
      const expected = examplesOf(lines, false);
      expect(counts.filter((count) => count > 0 && count < expected.length).length).toBeGreaterThan(
        KILLS / 4,
      );
      await until(() => lab.examples().length >= expected.length, 60_000);
      expect(byEntity(lab.examples())).toEqual(byEntity(expected));
    },
    120_000,
  );
});

/** At a steady pace, so that there is something new in every life of the device. */
async function publish(
  session: ReturnType<typeof openSession>["session"],
  lines: readonly Line[],
): Promise<void> {
  const SLICE = 50;
  for (let from = 0; from < lines.length; from += SLICE) {
    const slice = lines.slice(from, from + SLICE);
    await Promise.all(
      slice.map((line) => session.publish(`line/${line.pump}`, Buffer.from(JSON.stringify(line)))),
    );
    await sleep(50);
  }
}
