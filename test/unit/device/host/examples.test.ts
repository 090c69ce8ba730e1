import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { loadDeviceConfig } from "../../../../device/host/config.js";
import { findQuantity } from "../../../../device/rules/quantity.js";
import type { DeviceId, TaskId } from "../../../../shared/id.js";
import { defineModel } from "../../../../shared/model/define.js";
import { hasProbability } from "../../../../shared/model/output.js";
import { planPipeline } from "../../../../shared/pipeline/plan.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { formatCredential } from "../../../../shared/wire/credential.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const examples = new URL("../../../../examples/", import.meta.url);
const configs = readdirSync(examples, { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith("device.yaml"),
);

test.each(configs)("%s is a valid config, its sources and rules are about its task", (path) => {
  const { task } = parseTask(readFileSync(new URL(`${dirname(path)}/task.yaml`, examples), "utf8"));
  const credential = {
    ...{ device: "pump-1" as DeviceId, task: "pumps" as TaskId, password: "a-password-of-some-length" },
    ...{ privateKey: Buffer.alloc(32, 1), serverKey: Buffer.alloc(32, 2) },
  };
  const text = readFileSync(new URL(path, examples), "utf8");
  temp.write(/^credential: (\S+)$/m.exec(text)?.[1] ?? "", formatCredential(credential));
  const config = loadDeviceConfig(temp.write("device.yaml", text));
  // A machine finds itself.
  const named = Object.entries(task.sources).filter(([, { host }]) => host === undefined);
  expect(Object.keys(config.sources)).toEqual(named.map(([name]) => name));
  const { columns } = planPipeline(task);
  const { output } = defineModel(task.model, columns.length);
  const found = config.rules.map(({ of }) =>
    findQuantity(of, { columns, hasProbability: hasProbability(output), hasAnomaly: false }),
  );
  expect(found.filter(({ from }) => from === "nowhere")).toEqual([]);
});
