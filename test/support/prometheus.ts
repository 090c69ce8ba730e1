// A real Prometheus, where one is installed.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { freePort } from "./free-port.js";
import { until } from "./until.js";

/** False where its tests cannot run. */
export const hasPrometheus = spawnSync("prometheus", ["--version"]).status === 0;

/** A test's name, saying why it is skipped where it is. */
export function withPrometheus(name: string): string {
  return hasPrometheus ? name : `${name} (skipped: there is no prometheus; Debian has it)`;
}

/** Whom it asks. */
export interface ScrapeJob {
  readonly name: string;
  /** `host:port`. */
  readonly target: string;
  readonly token?: string;
}

const targetsSchema = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({ labels: z.object({ job: z.string() }), health: z.string(), lastError: z.string() }),
    ),
  }),
});
const resultSchema = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

/** Of a query: labels and value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A process that scrapes every second. */
export interface Prometheus {
  /** By job: "up", or why not. */
  health(): Promise<Readonly<Record<string, string>>>;
  query(expression: string): Promise<readonly Sample[]>;
  close(): Promise<void>;
}

/** Starts it; resolves when it answers. */
export async function startPrometheus(jobs: readonly ScrapeJob[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "headwater-prometheus-"));
  const config = join(folder, "prometheus.yaml");
  writeFileSync(config, stringify(describeScrapes(jobs)));
  const url = `http://127.0.0.1:${await freePort()}`;
  const options = [
    ...[`--config.file=${config}`, `--storage.tsdb.path=${join(folder, "data")}`],
    ...[`--web.listen-address=${url.slice("http://".length)}`, "--log.level=error"],
  ];
  // Nobody reads what it says: a pipe would fill up and hold it.
  const child = spawn("prometheus", options, { stdio: "ignore" });
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(() => isReady(child, url));
  } catch (error) {
    await close();
    throw error;
  }
  const ask = async (path: string): Promise<unknown> => (await fetch(`${url}/api/v1/${path}`)).json();
  return {
    async health() {
      const { data } = targetsSchema.parse(await ask("targets"));
      const said = data.activeTargets.map(({ labels, health, lastError }) => [
        labels.job,
        lastError || health,
      ]);
      return Object.fromEntries(said);
    },
    async query(expression) {
      const { data } = resultSchema.parse(await ask(`query?query=${encodeURIComponent(expression)}`));
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    close,
  };
}

function describeScrapes(jobs: readonly ScrapeJob[]) {
  return {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: jobs.map(({ name, target, token }) => ({
      job_name: name,
      static_configs: [{ targets: [target] }],
      ...(token === undefined ? {} : { authorization: { credentials: token } }),
    })),
  };
}

async function isReady({ exitCode }: ChildProcess, url: string): Promise<boolean> {
  if (exitCode !== null) throw new Error(`prometheus ended with ${exitCode}`);
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}
