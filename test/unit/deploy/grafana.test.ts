// Dashboards and alert rules, held against the table of metrics; and read by Prometheus' own tool where it is installed.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { MetricTable } from "../../../shared/metrics/definition.js";
import { deviceMetrics, serverMetrics } from "../../../shared/metrics/table.js";
import { readExpression } from "../../support/promql.js";
import { tempFolder } from "../../support/temp-folder.js";

const temp = tempFolder();
const folder = fileURLToPath(new URL("../../../deploy/grafana", import.meta.url));
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const withPromtool = hasPromtool ? "" : " (skipped: no promtool; Debian has it in `prometheus`)";

const panelSchema = z.object({
  id: z.int().positive(),
  type: z.string(),
  title: z.string().min(1),
  description: z.string().optional(),
  datasource: z.object({ uid: z.string() }).optional(),
  gridPos: z.object({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1), h: z.int().min(1) }),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string().min(1) }) }).optional(),
  targets: z.array(z.object({ expr: z.string().min(1), refId: z.string() })).default([]),
});
const dashboardSchema = z.object({
  id: z.null(),
  uid: z.string().min(1).max(40),
  title: z.string().min(1),
  description: z.string().min(1),
  schemaVersion: z.literal(39),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string() })) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(panelSchema),
  __inputs: z.undefined().optional(),
});
const rulesSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string().regex(/^Headwater/),
          expr: z.string(),
          labels: z.object({ severity: z.enum(["critical", "warning", "info"]) }),
          annotations: z.object({ summary: z.string().min(1), description: z.string().min(1) }),
        }),
      ),
    }),
  ),
});

function readDashboard(name: string) {
  return dashboardSchema.parse(JSON.parse(readFileSync(join(folder, "dashboards", name), "utf8")));
}

const rules = rulesSchema
  .parse(parse(readFileSync(join(folder, "alerts.yaml"), "utf8")))
  .groups.flatMap((group) => group.rules);

/** What is wrong with an expression, by the table. */
function faultsOf(expression: string, table: MetricTable): string[] {
  const { metrics, groupedBy } = readExpression(expression);
  // Prometheus itself adds these.
  const known = new Set(["job", "instance", "le"]);
  const faults = metrics.flatMap(({ name, labels, isRate }) => {
    if (name === "up") return [];
    const base = name.replace(/_(?:bucket|sum|count)$/, "");
    const definition = table[name] ?? (table[base]?.kind === "histogram" ? table[base] : undefined);
    if (definition === undefined) return [`${name} is no metric of ours`];
    for (const label of definition.labels) known.add(label);
    const grows = definition.kind !== "gauge";
    return [
      ...labels.filter((label) => !known.has(label)).map((label) => `${name} has no label ${label}`),
      ...(grows === isRate ? [] : [`${name} is a ${definition.kind}: ${isRate ? "no" : "it needs a"} rate`]),
    ];
  });
  if (metrics.length === 0) faults.push("there is no metric in it");
  return [...faults, ...groupedBy.filter((label) => !known.has(label)).map((label) => `no label ${label}`)];
}

describe.each([
  ["headwater-fleet.json", serverMetrics],
  ["headwater-device.json", deviceMetrics],
])("%s", (name, table: MetricTable) => {
  const { panels, templating, annotations } = readDashboard(name);
  const expressions = [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
    ...annotations.list.map(({ expr }) => ({ title: "annotation", expr })),
  ];

  test("panels have ids of their own and do not lie over one another", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of panels) {
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          expect(taken.get(`${column},${row}`), `${title} at ${column},${row}`).toBeUndefined();
          taken.set(`${column},${row}`, title);
        }
      }
    }
  });

  test("each panel says what it shows, in which unit, from the data source that is chosen", () => {
    for (const { title, type, description, fieldConfig, datasource, targets } of panels) {
      if (type === "row") continue;
      expect(description, title).toMatch(/\.$/);
      expect(fieldConfig?.defaults.unit, title).toBeDefined();
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own way to name a variable.
      expect(datasource?.uid, title).toBe("${datasource}");
      expect(targets.length, title).toBeGreaterThan(0);
    }
    expect(templating.list.map(({ name: variable, type }) => `${variable}:${type}`)).toEqual([
      "datasource:datasource",
      "job:query",
      "instance:query",
    ]);
  });

  test("every expression names metrics and labels that there are, what only grows within a rate", () => {
    const faults = expressions.flatMap(({ title, expr }) =>
      faultsOf(expr, table).map((fault) => `${title}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  test("every metric is shown but those that only this or that fleet needs", () => {
    const shown = new Set(
      expressions.flatMap(({ expr }) => readExpression(expr).metrics.map((use) => use.name)),
    );
    const unseen = Object.keys(table).filter(
      (metric) =>
        !shown.has(metric) && !shown.has(`${metric}_bucket`) && !metric.startsWith("headwater_device_"),
    );
    expect(unseen).toEqual(UNSEEN[name]);
  });

  test.skipIf(!hasPromtool)(`Prometheus reads every expression${withPromtool}`, () => {
    const group = {
      name: "all",
      rules: expressions.map(({ expr }, at) => ({ record: `r${at}`, expr: filled(expr) })),
    };
    expect(promtool("check", "rules", temp.write(`${name}.yaml`, stringify({ groups: [group] })))).toBe(0);
  });
});

/** Left to the alert rules or to whoever looks for them. */
const UNSEEN: Readonly<Record<string, readonly string[]>> = {
  "headwater-fleet.json": [
    "headwater_build_info",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
    "headwater_broker_connected",
    "headwater_broker_connections",
    "headwater_round",
    "headwater_round_open",
    "headwater_training_finished",
    "headwater_versions_total",
    "headwater_release_sequence",
    "headwater_trial_failed_checks",
  ],
  "headwater-device.json": ["headwater_build_info", "process_start_time_seconds", "headwater_round"],
};

describe("alert rules", () => {
  test.each(rules)("$alert names metrics and labels that there are", ({ expr }) => {
    expect(faultsOf(expr, { ...serverMetrics, ...deviceMetrics })).toEqual([]);
  });

  test("the check finds what is wrong", () => {
    expect(faultsOf("rate(headwater_version[5m])", serverMetrics)).toHaveLength(1);
    expect(faultsOf('headwater_updates_total{outcom="x"}', serverMetrics)).toHaveLength(2);
    expect(faultsOf("sum by (device) (headwater_vesion)", serverMetrics)).toHaveLength(2);
  });

  // Rules see both at once: a name that means two things would make a rule for one speak of the other.
  test("a metric of server and device has the same kind and labels on both", () => {
    const both = Object.entries(deviceMetrics).filter(([name]) => name in serverMetrics);
    const others: MetricTable = serverMetrics;
    expect(both.map(([name, { kind, labels }]) => [name, kind, labels])).toEqual(
      both.map(([name]) => [name, others[name]?.kind, others[name]?.labels]),
    );
  });

  test("no two have one name", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  test.skipIf(!hasPromtool)(`speak when they should, and not otherwise${withPromtool}`, () => {
    expect(promtool("check", "rules", join(folder, "alerts.yaml"))).toBe(0);
    expect(promtool("check", "config", join(folder, "prometheus.yaml"))).toBe(0);
    expect(promtool("test", "rules", join(folder, "alerts.test.yaml"))).toBe(0);
  });
});

test("provisioning finds what is there", () => {
  const provider = parse(readFileSync(join(folder, "provisioning/dashboards/headwater.yaml"), "utf8"));
  expect(provider.providers[0].options.path).toBe("/etc/grafana/headwater/dashboards");
  const source = parse(readFileSync(join(folder, "provisioning/datasources/prometheus.yaml"), "utf8"));
  expect(source.datasources[0].type).toBe("prometheus");
  expect(readdirSync(join(folder, "dashboards")).sort()).toEqual([
    "headwater-device.json",
    "headwater-fleet.json",
  ]);
});

/** As Grafana would fill in its variables. */
function filled(expression: string): string {
  return expression.replaceAll("$__rate_interval", "5m").replaceAll(/\$(?:job|instance)/g, ".*");
}

/** Its exit code; what it says goes to the test's output when that is not 0. */
function promtool(...args: readonly string[]): number | null {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
  if (status !== 0) process.stderr.write(stdout + stderr);
  return status;
}
