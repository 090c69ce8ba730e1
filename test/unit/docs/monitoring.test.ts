// docs/monitoring.md names every concept detector there is, as the registry describes it.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { alertKinds } from "../../../server/alert/alert.js";
import type { DetectorKind } from "../../../shared/drift/concept/port.js";
import { detectors } from "../../../shared/drift/concept/registry.js";
import { inputSchema, optionsTable, replaceBlock, yamlFence } from "../../support/docs-tables.js";

const path = fileURLToPath(new URL("../../../docs/monitoring.md", import.meta.url));

const INPUTS = {
  bits: "Takes 0 and 1.",
  shares: "Takes numbers from 0 to 1.",
  numbers: "Takes any number.",
  scores: "Takes any number, in deviations.",
} as const;

function describeDetector({ name, doc, input, example, moreExamples = [], params }: DetectorKind): string {
  const examples = [example, ...moreExamples].map((each) => yamlFence({ concept: { [name]: each.params } }));
  return [`### ${name}`, `${doc} ${INPUTS[input]}`, ...examples, optionsTable(inputSchema(params))].join(
    "\n\n",
  );
}

test("docs/monitoring.md says what the code says", () => {
  const text = readFileSync(path, "utf8");
  const described = Object.values(detectors).map((kind) => describeDetector(kind));
  const wanted = replaceBlock(text, "detectors", described.join("\n\n"), "monitoring");
  if (process.env.HEADWATER_WRITE_DOCS === "1") writeFileSync(path, wanted);
  else expect(text).toBe(wanted);
});

test("docs/monitoring.md says of every kind of alert when it is raised", () => {
  const [, text = ""] = readFileSync(path, "utf8").split("| kind | severity | when |");
  const rows = text.split("\n\n")[0]!.matchAll(/^\| `([a-z-]+)` \|/gm);
  expect([...rows].map(([, kind]) => kind)).toEqual([...alertKinds]);
});
