// The dashboard's speed on loopback: time to the first contentful paint in a fresh browser, and from a hello that a device
// sends to the event that says so, with several dashboards open. `npm run bench:dashboard`.
import { cpus } from "node:os";
import { loadTaskFile } from "../dist/cli/task-file.js";
import { Changes } from "../dist/server/changes.js";
import { startHttp } from "../dist/server/http/http.js";
import { systemClock } from "../dist/shared/clock.js";
import { Counters } from "../dist/shared/counters.js";
import { silentLogger } from "../dist/shared/log.js";
import { launchChromium } from "../scripts/chromium.js";

const DEVICES = 1000;
const WATCHERS = 20;
const CHANGES = 100;
const PAINTS = 5;
const SEEN_WITHIN_MS = 10_000;

const task = loadTaskFile("examples/pumps/task.yaml");
const changes = new Changes();
const devices = Array.from({ length: DEVICES }, (_, at) => ({
  ...{
    device: `pump-${String(at).padStart(4, "0")}`,
    isConnected: true,
    seenMs: systemClock.now(),
    stable: 1,
  },
  ...{ eligible: true, reason: null, examples: { train: 500, validation: 50 }, rejected: {} },
  ...{ bytesUp: 0, bytesDown: 0 },
}));
const status = () => ({
  ...{ task: task.task.task, open: undefined, rounds: 0, trainRounds: 0, head: 0, stable: 0 },
  ...{ stableValue: undefined, finished: undefined, devices, counters: {}, quarantined: {} },
});
const http = await startHttp({
  ...{ host: "127.0.0.1", port: 0, logger: silentLogger },
  sources: {
    ...{ task: task.task, source: task, version: "bench", clock: systemClock, startedMs: 0 },
    ...{ brokerCounters: new Counters(), enrolled: { list: () => [] }, notReady: () => undefined },
    broker: () => ({ kind: "external", urls: [], isConnected: true }),
    server: {
      ...{ status, rounds: () => [], versions: () => [], members: () => [], paramCount: 1 },
      watch: (listener) => changes.watch(listener),
    },
  },
});

/** Milliseconds until the event with a change is there, at the last of all watchers. */
async function measureEvents() {
  const waiting = new Map();
  const end = new AbortController();
  for (let watcher = 0; watcher < WATCHERS; watcher++) void watch(end.signal, waiting);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const times = [];
  for (let change = 1; change <= CHANGES; change++) {
    const mark = `"bytesUp":${change * 7919}`;
    const began = performance.now();
    const seen = new Promise((resolve) => waiting.set(mark, { left: WATCHERS, resolve }));
    // What has changed is another object, as of a server's registry.
    devices[change] = { ...devices[change], bytesUp: change * 7919 };
    changes.tell();
    await withinBound(seen, mark);
    times.push(performance.now() - began);
    // At no beat of the server's.
    await new Promise((resolve) => setTimeout(resolve, (change * 37) % 180));
  }
  end.abort();
  return times.sort((a, b) => a - b);
}

async function withinBound(seen, mark) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no event with ${mark} in ${SEEN_WITHIN_MS} ms`)),
      SEEN_WITHIN_MS,
    );
  });
  await Promise.race([seen, late]).finally(() => clearTimeout(timer));
}

async function watch(signal, waiting) {
  try {
    const { body } = await fetch(`${http.url}/api/events`, { signal });
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      // An event may come in several chunks: what has not ended waits for the rest.
      const end = text.lastIndexOf("\n\n") + 1;
      const events = text.slice(0, end);
      text = text.slice(end);
      for (const [mark, entry] of waiting) {
        if (!events.includes(mark)) continue;
        entry.left -= 1;
        if (entry.left > 0) continue;
        waiting.delete(mark);
        entry.resolve();
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Milliseconds to first contentful paint, a fresh browser each time. */
async function measurePaint() {
  const times = [];
  for (let paint = 0; paint < PAINTS; paint++) {
    const browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(http.url);
    await page.getByText("devices connected").waitFor();
    times.push(
      await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime),
    );
    await browser.close();
  }
  return times.sort((a, b) => a - b);
}

const events = await measureEvents();
const paints = await measurePaint();
await http.close();
const at = (times, share) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))]);
process.stdout.write(`${cpus().length} x ${cpus()[0].model}, ${DEVICES} devices, ${WATCHERS} dashboards
change to event, at the last dashboard   median ${at(events, 0.5)} ms, p99 ${at(events, 0.99)} ms (target < 100)
first contentful paint                   median ${at(paints, 0.5)} ms, worst ${at(paints, 1)} ms (target < 1000)
`);
