// The concept detectors there are: a new one is a file and a line here.

import { assert } from "../../assert.js";
import { adwin } from "./adwin.js";
import { ddm } from "./ddm.js";
import { eddm } from "./eddm.js";
import { hddmA } from "./hddm-a.js";
import { hddmW } from "./hddm-w.js";
import { kswin } from "./kswin.js";
import { pageHinkley } from "./page-hinkley.js";
import type { ConceptDetector, DetectorKind } from "./port.js";

/** A detector as a task asks for it: `params` as its own schema gave them. */
export interface DetectorCall {
  readonly kind: string;
  readonly params: unknown;
}

/** What watches where nothing else is asked for. */
export const DEFAULT_DETECTOR = adwin.name;

/** Detectors by the name a task calls them. */
export const detectors: Readonly<Record<string, DetectorKind>> = byName(
  adwin,
  hddmA,
  hddmW,
  pageHinkley,
  kswin,
  ddm,
  eddm,
);

/** A fresh instance. */
export function createDetector({ kind, params }: DetectorCall): ConceptDetector {
  const detector = detectors[kind];
  assert(detector !== undefined, `the task names a detector that exists, not ${kind}`);
  return detector.create(params);
}

// Null prototype: a task's "constructor" is no detector.
function byName(...kinds: readonly DetectorKind[]): Record<string, DetectorKind> {
  const registry: Record<string, DetectorKind> = Object.create(null);
  for (const kind of kinds) registry[kind.name] = kind;
  return registry;
}
