// What a task's hashes cover. Changing a quorum invalidates no model; changing a broker's topic neither.

import { canonicalJson, sha256Hex } from "./canonical.js";
import type { LabelSpec, SourceSpec, Task } from "./task.js";

/** SHA-256 (hex) over all that decides what a column and a label mean. Part of every model signature. */
export function hashPipeline({ entity, sources, steps, joins, features, label }: Task): string {
  const schema = Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, schemaOf(source)]),
  );
  return sha256Hex(
    canonicalJson({ entity, sources: schema, steps, joins, features, label: meaningOf(label) }),
  );
}

// What counts as an anomaly changes neither what is learned nor what is predicted.
function meaningOf(label: LabelSpec): LabelSpec {
  return label.kind === "none" ? { ...label, threshold: undefined } : label;
}

/** SHA-256 (hex) over the whole task but `simulate`. */
export function hashTask(task: Task): string {
  return sha256Hex(canonicalJson({ ...task, simulate: undefined }));
}

// Neither where readings come from nor how patient we are with late ones changes what they mean.
function schemaOf({ decode, time, vectors, text, convert, entity, isShared, checks, dedupe }: SourceSpec) {
  return {
    ...{ decode, time, vectors, entity, isShared, checks, dedupe },
    text: unlessEmpty(text),
    convert: unlessEmpty(convert),
  };
}

// What nobody wrote is left out, so that a new key of the vocabulary invalidates no model.
function unlessEmpty(record: object): object | undefined {
  return Object.keys(record).length > 0 ? record : undefined;
}
