// README.md and MLmodel: a model card for people and hubs, and the signature in MLflow's form.

import { unreachable } from "../assert.js";
import type { Lineage } from "../lineage/record.js";
import { learnerOf } from "../task/learner.js";
import type { LabelSpec, OutputSpec } from "../task/task.js";
import { writeYaml } from "../task/yaml.js";
import { type Artefact, describeModel } from "./artefact.js";

/** The card: front matter in the form of the Hugging Face hub, then what a federation knows of the model. */
export function modelCard(artefact: Artefact): string {
  const { loaded, manifest, lineage } = artefact;
  const { task } = loaded;
  const metrics = Object.entries(metricsOf(lineage));
  const front = {
    license: "unknown",
    library_name: "headwater",
    pipeline_tag: tagOf(task.model.output),
    tags: ["federated-learning", "tensorflow.js", "headwater"],
    datasets: [],
    metrics: metrics.map(([name]) => name),
    "model-index": [
      {
        name: `${task.task} v${manifest.version}`,
        results:
          metrics.length === 0
            ? []
            : [
                {
                  task: { type: tagOf(task.model.output) },
                  dataset: { name: "validation examples of the devices, never collected", type: "federated" },
                  metrics: metrics.map(([type, value]) => ({ type, value })),
                },
              ],
      },
    ],
  };
  return `---\n${writeYaml(front)}---\n\n${body(artefact)}`;
}

function body({ loaded, manifest, lineage }: Artefact): string {
  const { columns } = describeModel(loaded, manifest.arm);
  const { task } = loaded;
  const facts = federatedFacts(lineage);
  return `# ${task.task}, version ${manifest.version}

Learned by a federation of devices from their own telemetry: no row of data has left a device. Made with Headwater on
${new Date(manifest.createdMs).toISOString()}.

## Use

\`\`\`js
import { loadModel } from "headwater/model";
const model = await loadModel(".");
model.push({ source: "${Object.keys(task.sources)[0]}", entity: "…", timeMs: Date.parse("…"), values: { /* … */ } });
model.predict({ /* one value per column */ });
\`\`\`

\`model.json\` is a TensorFlow.js LayersModel (\`tf.loadLayersModel\`). It takes scaled columns, \`(x - offset) * factor\`, and what it gives
is scaled likewise where the label is: \`scaler\` in \`headwater.json\`.

## What it predicts

${labelWords(task.label)} Output: ${task.model.output.kind}.

| # | column |
|---|---|
${columns.map((column, at) => `| ${at + 1} | \`${column}\` |`).join("\n")}

## How it was learned

| | |
|---|---|
| train rounds behind it | ${facts.rounds} |
| devices that took part | ${facts.devices} |
| examples of its last round | ${facts.examples} |
| made from version | ${manifest.parent === 0 ? "none" : manifest.parent} |
| aggregation | \`${JSON.stringify(task.aggregate)}\` |
| training | \`${JSON.stringify(learnerOf(task, manifest.arm)?.train)}\` |
| differential privacy (epsilon) | ${lineage[0]?.run.record.epsilon ?? "none"} |
| drift reference | on the devices; the scaler holds the fleet's location and spread per column |
${scoreRows(lineage)}
## Lineage

${lineage.length === 0 ? "Not known." : `\`\`\`\n${lineage.map(describeLink).join("\n")}\n\`\`\``}

| | |
|---|---|
| task | \`${loaded.taskHash}\` |
| pipeline | \`${loaded.pipelineHash}\` |
| model signature | \`${manifest.modelSignature}\` |
| content | \`${manifest.sha256}\` |

The signed manifest is in \`headwater.json\`; loading verifies it.
`;
}

function scoreRows([newest]: readonly Lineage[]): string {
  const evaluation = newest?.verdict?.record.evaluation;
  if (evaluation === null || evaluation === undefined) return "\nNot scored.\n";
  const { metrics, rows, devices } = evaluation;
  const scores = Object.entries(metrics).map(([name, value]) => `| ${name} | ${value} |`);
  return `\n## Scores\n\nOn ${rows} held-out rows of ${devices} devices, pooled.\n\n| metric | value |\n|---|---|\n${scores.join("\n")}\n`;
}

/** Of a version's whole way, as far as it is known. */
function federatedFacts(lineage: readonly Lineage[]) {
  const folds = lineage.filter(({ run }) => run.record.kind === "fold");
  const devices = new Set(folds.flatMap(({ run }) => run.record.updates.map(({ device }) => device)));
  const examples = folds[0]?.run.record.updates.reduce((sum, update) => sum + update.examples, 0) ?? 0;
  return { rounds: folds.length, devices: devices.size, examples };
}

/** Ancestors in a card; headwater.json has as many. */
function describeLink({ run }: Lineage): string {
  const { version, parent, kind, round, updates } = run.record;
  return `${version} <- ${parent}  ${kind}${round === 0 ? "" : ` round ${round}, ${updates.length} updates`}  ${run.sha256}`;
}

function metricsOf([newest]: readonly Lineage[]): Readonly<Record<string, number>> {
  return newest?.verdict?.record.evaluation?.metrics ?? {};
}

function tagOf({ kind }: OutputSpec): string {
  switch (kind) {
    case "regression":
      return "tabular-regression";
    case "binary":
    case "classification":
      return "tabular-classification";
    case "reconstruction":
      return "other";
    default:
      return unreachable(kind);
  }
}

function labelWords(label: LabelSpec): string {
  switch (label.kind) {
    case "forecast":
      return "The future value of a field.";
    case "field":
      return "A field of the same row.";
    case "event":
      return "Whether an event follows within its horizon.";
    case "feedback":
      return "What people or systems answer later.";
    case "none":
      return "The row itself: how far it is from what is usual.";
    default:
      return unreachable(label);
  }
}

/** MLflow's MLmodel file. */
export function mlmodel({ loaded, manifest, lineage }: Artefact, headwater: string): string {
  const { definition } = describeModel(loaded, manifest.arm);
  const tensor = (width: number) =>
    JSON.stringify([{ type: "tensor", "tensor-spec": { dtype: "float32", shape: [-1, width] } }]);
  const run = lineage[0]?.run.sha256;
  return writeYaml({
    artifact_path: "model",
    flavors: {
      headwater: { headwater_version: headwater, data: "headwater.json" },
      tfjs: { format: "layers-model", data: "model.json" },
    },
    model_uuid: manifest.sha256.slice(0, 32),
    ...(run === undefined ? {} : { run_id: run.slice(0, 32) }),
    signature: { inputs: tensor(definition.inputs), outputs: tensor(definition.outputs) },
    utc_time_created: new Date(manifest.createdMs).toISOString().replace("T", " ").replace("Z", ""),
  });
}
