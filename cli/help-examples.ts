// What people type, at the end of each command's help text.

import type { Command } from "commander";

/** By command; each is a whole line for a shell. */
export const helpExamples: Readonly<Record<string, readonly string[]>> = {
  quickstart: ["headwater quickstart", "headwater quickstart --virtual --seed 2"],
  server: [
    "headwater server task.yaml --data server-data",
    "headwater server task.yaml --data server-data --listen 0.0.0.0:1883 --ws 0.0.0.0:8083",
    "headwater server task.yaml --data server-data --broker mqtt://broker.local:1883 --username headwater",
  ],
  status: ["headwater status", "headwater status --server http://server:8080 --once"],
  report: ["headwater report --data server-data --out report.html"],
  enrol: [
    "headwater enrol pump-1 pump-2 --data server-data --task task.yaml",
    "headwater enrol --list --data server-data",
    "headwater enrol pump-2 --revoke --data server-data",
  ],
  device: ["headwater device device.yaml", "headwater device device.yaml --label site=lab"],
  data: [
    "headwater data ls device-data",
    "headwater data export device-data --what readings --entity pump-1 --from 2026-03-01 > readings.csv",
  ],
  predict: ["headwater predict model.tar --data readings.jsonl --out predictions.csv"],
  model: [
    "headwater model ls --server http://server:8080",
    "headwater model show stable --data server-data",
    "headwater model export stable --data server-data --out model.tar",
    "headwater model promote 12 --server http://server:8080",
  ],
  replay: ["headwater replay task.yaml --to mqtt://localhost:1884 --speed 3600x --only pump-1"],
  simulate: [
    "headwater simulate examples/pumps/task.yaml --seed 2 --report report.html",
    "headwater simulate examples/pumps/drift.yaml --poison-retraining",
  ],
  plan: ["headwater plan task.yaml"],
  pipeline: [
    "headwater pipeline infer --data readings.txt > task.yaml",
    "headwater pipeline run task.yaml --data readings.txt --with-topic",
  ],
  why: ["headwater why 3f0c1d9e8a7b6c5d4e3f2a1b --device-data device-data --server http://server:8080"],
  schema: ["headwater schema > task.schema.json"],
};

/** Adds them to the commands that are there. */
export function showExamples({ commands }: Pick<Command, "commands">): void {
  for (const command of commands) {
    const examples = helpExamples[command.name()];
    if (examples !== undefined)
      command.addHelpText("after", `\nExamples:\n${examples.map(indent).join("\n")}`);
  }
}

function indent(line: string): string {
  return `  ${line}`;
}
