// Who an example is for: a pure function of the example, so that it never changes sides.

import { unreachable } from "../assert.js";
import type { SplitSpec, ValidationSpec } from "../task/task.js";
import type { Split } from "./types.js";

/** What decides the side. */
export interface SplitSubject {
  readonly entity: string;
  /** Event time of the features. */
  readonly timeMs: number;
  /** Event time of the label: `timeMs`, or later for a forecast. */
  readonly untilMs: number;
  /** The data says that this belongs to its own test set. */
  readonly test: boolean;
}

/**
 * The side of an example, or `gap` when it is left out because it comes too close to another side's.
 *
 * Where time divides the sides, the larger side gives way to the smaller: validation and train to test, train to
 * validation. What stays is at least `gapMs` of event time away from the other side, and no label lies on it.
 */
export function splitOf(spec: SplitSpec, subject: SplitSubject): Split | "gap" {
  if (subject.test) return "test";
  if (spec.test.kind === "from") {
    if (subject.timeMs >= spec.test.fromMs) return "test";
    if (reaches(subject, spec.test.fromMs, spec.gapMs)) return "gap";
  }
  return validationOf(spec.validation, spec.gapMs, subject);
}

function validationOf(validation: ValidationSpec, gapMs: number, subject: SplitSubject): Split | "gap" {
  if (validation.share <= 0) return "train";
  switch (validation.by) {
    case "entity":
      return isDrawn(hashText(subject.entity), validation.share);
    case "example":
      return isDrawn(hashTime(hashText(subject.entity), subject.timeMs), validation.share);
    case "time":
      return sideInTime(validation, gapMs, subject);
    default:
      return unreachable(validation.by);
  }
}

function isDrawn(hash: number, share: number): Split {
  return hash < share * 2 ** 32 ? "validation" : "train";
}

function sideInTime(validation: ValidationSpec, gapMs: number, subject: SplitSubject): Split | "gap" {
  const { blockMs } = validation;
  const block = Math.floor(subject.timeMs / blockMs);
  if (isValidationBlock(block, validation.share)) {
    // A label this far on may be a train row's own past.
    return subject.untilMs < (block + 1) * blockMs + gapMs ? "validation" : "gap";
  }
  const first = Math.floor((subject.timeMs - gapMs) / blockMs);
  for (let near = first; near < block; near++) {
    // Validation rows end just before their block does, so that a distance of `gapMs` from its end is enough.
    if (isValidationBlock(near, validation.share) && subject.timeMs < (near + 1) * blockMs + gapMs)
      return "gap";
  }
  for (let near = block + 1; reaches(subject, near * blockMs, gapMs); near++) {
    if (isValidationBlock(near, validation.share)) return "gap";
  }
  return "train";
}

// Closer than the gap before a border, or with a label on or beyond it.
function reaches({ timeMs, untilMs }: SplitSubject, borderMs: number, gapMs: number): boolean {
  return timeMs + gapMs > borderMs || untilMs >= borderMs;
}

/** Blocks spread evenly: of any n in a row, n x share are for validation, give or take one (Bresenham 1965). */
function isValidationBlock(block: number, share: number): boolean {
  return Math.floor((block + 1) * share) > Math.floor(block * share);
}

/** FNV-1a over UTF-16 units, then stirred. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return stir(hash);
}

function hashTime(seed: number, timeMs: number): number {
  const high = Math.floor(timeMs / 2 ** 32);
  return stir(stir(seed ^ timeMs) + high);
}

/** The finalizer of MurmurHash3: every input bit reaches every output bit. */
function stir(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
