// The same lines from a file and over a broker to a live agent: the same examples, to the bit.

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import { silentLogger } from "../../shared/log.js";
import type { Split } from "../../shared/pipeline/types.js";
import { parseTask } from "../../shared/task/parse.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { createDevice } from "../support/device-kit.js";
import { directTelemetry } from "../support/direct-telemetry.js";
import { ManualClock } from "../support/manual-clock.js";
import { runFiles } from "../support/offline.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { onBroker } from "../support/source-lab.js";
import { tempFolder } from "../support/temp-folder.js";
import { testEngines } from "../support/test-engines.js";
import { openSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const YAML = `task: linear
entity: "{tag.unit}"
sources:
  line: { mqtt: plant/line, late: { disorder: 30s, idle: 10m }, checks: { a: { min: -50, max: 50 } } }
steps: { grid: { from: line, do: [{ resample: { every: 10s, agg: mean, fill: { hold: 30s } } }] } }
features:
  from: grid
  list:
    - copy: [a, b]
    - lag: { of: a, by: [10s, 20s] }
    - rolling: { of: b, over: 1m, get: [mean, std] }
    - cyclic: hour
label: { forecast: { of: a, ahead: 20s }, scale: standard }
rows: { split: { validation: { share: 20%, by: example } } }
model: { dense: [] }
rounds: { minExamples: 10 }
`;

const folder = tempFolder();
const engines = testEngines();
let broker: Awaited<ReturnType<typeof startTelemetryBroker>>;

beforeAll(async () => {
  broker = await startTelemetryBroker({ logger: silentLogger });
});

afterAll(async () => {
  await broker.close();
});

/** What a sensor says, mostly: some seconds after the message before, at times out of order or unreadable. */
const message = fc.record({
  stepS: fc.integer({ min: 0, max: 25 }),
  backS: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 60 })),
  unit: fc.constantFrom("u1", "u2"),
  a: fc.oneof({ weight: 8, arbitrary: fc.double({ min: -60, max: 60, noNaN: true }) }, fc.constant(null)),
  b: fc.float({ min: -1000, max: 1000, noNaN: true }),
  isBroken: fc.integer({ min: 0, max: 19 }).map((draw) => draw === 0),
});

function linesOf(messages: readonly (typeof message extends fc.Arbitrary<infer Value> ? Value : never)[]) {
  let ts = Date.UTC(2026, 0, 1) / 1000;
  return messages.map(({ stepS, backS, unit, a, b, isBroken }) => {
    ts += stepS;
    const text = JSON.stringify({ ts: ts - backS, unit, a, b });
    return isBroken ? text.slice(0, -3) : text;
  });
}

/** Examples of an agent that heard the lines from a broker. */
async function live(lines: readonly string[]) {
  const clock = new ManualClock();
  const uplink = createMemoryBroker({ clock });
  const server = new ScriptedServer(uplink, parseTask(YAML));
  await server.retainTask();
  const { agent, of, kill } = createDevice({ name: "pi", clock, broker: uplink, engines });
  await agent.start();
  await clock.until(() => of("task-adopted").length > 0);
  let handled = 0;
  const { telemetry } = directTelemetry({
    ...{ device: "pi", bindings: { line: onBroker(broker.url) } },
    onArrival: ({ readings }) => {
      void agent.ingest(readings).then(() => handled++);
    },
  });
  await telemetry.follow(parseTask(YAML).task);
  const { session } = openSession("sensor", { endpoint: { url: broker.url }, subscriptions: [] });
  await until(() => telemetry.isConnected && session.isConnected);
  for (const line of lines) await session.publish("plant/line", Buffer.from(line));
  await until(() => handled === lines.length);
  await telemetry.close();
  await session.close();
  await agent.endOfData();
  const splits = await Promise.all((["train", "validation"] as const).map((split) => agent.examples(split)));
  kill();
  return splits.map(({ features, labels }) => ({ features, labels }));
}

test("a file gives the examples that a live agent has of the same lines", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 60, maxLength: 120 }), async (messages) => {
      const lines = linesOf(messages);
      const file = folder.write("lines.jsonl", `${lines.join("\n")}\n`);
      const { examples } = await runFiles(YAML, [file]);
      const side = (split: Split) => {
        const own = examples.filter((example) => example.split === split);
        return {
          features: Float32Array.from(own.flatMap(({ features }) => [...features])),
          labels: Float32Array.from(own.map(({ label }) => label)),
        };
      };
      expect(await live(lines)).toEqual([side("train"), side("validation")]);
      compared += examples.length;
    }),
    // What is smaller is not easier to read here, and looking for it takes longer than a test may.
    { numRuns: 12, endOnFailure: true },
  );
  expect(compared).toBeGreaterThan(100);
});
