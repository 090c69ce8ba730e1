// How fast a model answers over HTTP: `npm run bench:serve [-- --json] [--seconds 20]`.
//
// The server is a process of its own that trains in its worker all the while; this process asks. Paced: 500 requests per
// second with one row each, latency counted from the moment a request was due, so that a slow answer does not excuse the
// next. Flat out: 32 connections that ask as fast as they are answered, with batches and without. Health: how long a probe
// takes while others ask for 1,024 rows at a time.

import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";

const PER_SECOND = 500;
const CONNECTIONS = 32;
const FLAT_OUT_SECONDS = 5;
const seconds = Number(argument("--seconds") ?? 20);
const SMALL = { columns: 32, hidden: [64] };
const LARGE = { columns: 256, hidden: [512, 512] };

const result = {
  paced: await paced({ ...SMALL, trains: true }),
  pacedIdle: await paced({ ...SMALL, trains: false }),
  pacedLarge: await paced({ ...LARGE, trains: true }),
  flatOut: await flatOut({ ...SMALL, trains: true, batchRows: 32 }),
  flatOutUnbatched: await flatOut({ ...SMALL, trains: true, batchRows: 1 }),
  flatOutLarge: await flatOut({ ...LARGE, trains: true, batchRows: 32 }),
  flatOutLargeUnbatched: await flatOut({ ...LARGE, trains: true, batchRows: 1 }),
  health: await health({ ...LARGE, trains: true }),
};
report(result);

function paced(options) {
  return withServer(options, async (port) => {
    const ask = asker(port, CONNECTIONS, bodyOf(options, 1));
    await flood(ask, CONNECTIONS, 1_000);
    const latencies = [];
    const pending = [];
    const started = performance.now();
    for (let n = 0; n < PER_SECOND * seconds; n++) {
      const due = started + (1000 * n) / PER_SECOND;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      // A timer may fire a little early; a late one is counted against the answer.
      const from = Math.min(due, performance.now());
      pending.push(ask().then(() => latencies.push(performance.now() - from)));
    }
    await Promise.all(pending);
    return { requests: latencies.length, ...quantiles(latencies) };
  });
}

function flatOut(options) {
  return withServer(options, async (port) => {
    const ask = asker(port, CONNECTIONS, bodyOf(options, 1));
    await flood(ask, CONNECTIONS, 1_000);
    const latencies = await flood(ask, CONNECTIONS, 1_000 * FLAT_OUT_SECONDS);
    return { perSecond: latencies.length / FLAT_OUT_SECONDS, ...quantiles(latencies) };
  });
}

function health(options) {
  return withServer(options, async (port) => {
    const rows = Math.floor(1_000_000 / (options.columns * 12));
    const ask = asker(port, 4, bodyOf(options, Math.min(1_024, rows)));
    const probe = asker(port, 1, undefined, "/v2/health/live");
    const work = flood(ask, 4, 1_000 * FLAT_OUT_SECONDS);
    const probes = await flood(probe, 1, 1_000 * FLAT_OUT_SECONDS);
    await work;
    return quantiles(probes);
  });
}

async function withServer(options, measure) {
  const path = fileURLToPath(new URL("serve/server.js", import.meta.url));
  const child = fork(path, [JSON.stringify({ batchRows: 32, ...options })]);
  const [{ port }] = await once(child, "message");
  const measured = await measure(port);
  child.send("stop");
  const [{ jobs, counters }] = await once(child, "message");
  return {
    ...measured,
    trainJobs: jobs,
    rowsPerBatch: counters["inference.rows"] / counters["inference.batches"],
  };
}

function bodyOf({ columns }, rows) {
  const data = Array.from({ length: rows * columns }, (_, at) => Math.round(1e4 * Math.sin(at)) / 1e4);
  const inputs = [{ name: "features", shape: [rows, columns], datatype: "FP32", data }];
  return Buffer.from(JSON.stringify({ inputs }));
}

function asker(port, connections, body, path = "/v2/models/bench/infer") {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const method = body === undefined ? "GET" : "POST";
  const headers =
    body === undefined ? {} : { "content-type": "application/json", "content-length": body.length };
  return () =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, path, method, headers, agent }, (reply) => {
        if (reply.statusCode !== 200) reject(new Error(`answered ${reply.statusCode}`));
        reply.on("end", resolve).resume();
      });
      sent.on("error", reject).end(body);
    });
}

/** Asks on every connection as fast as it is answered, for so long. */
async function flood(ask, connections, durationMs) {
  const latencies = [];
  const ends = performance.now() + durationMs;
  const one = async () => {
    for (let now = performance.now(); now < ends; now = performance.now()) {
      await ask();
      latencies.push(performance.now() - now);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return latencies;
}

function quantiles(latencies) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) };
}

function argument(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function report(all) {
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify(all)}\n`);
    return;
  }
  for (const [name, { perSecond, p50Ms, p99Ms, maxMs, trainJobs, rowsPerBatch }] of Object.entries(all)) {
    const rate = perSecond === undefined ? "" : `${perSecond.toFixed(0)} requests/s, `;
    process.stdout.write(
      `${name}: ${rate}p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, max ${maxMs.toFixed(1)} ms, ` +
        `${rowsPerBatch.toFixed(1)} rows per batch, ${trainJobs} train jobs\n`,
    );
  }
}
