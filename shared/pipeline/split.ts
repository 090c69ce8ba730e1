// Who an example is for: a pure function of the example, so that it never changes sides.

import { unreachable } from "../assert.js";
import type { SplitSpec, TestSpec, ValidationSpec } from "../task/task.js";
import type { Split } from "./types.js";

const TEST_SALT = 0x5bd1e995;

/** What decides the side. */
export interface SplitSubject {
  readonly entity: string;
  /** Event time of the features. */
  readonly timeMs: number;
  /** Event time of the label: `timeMs`, or later for a forecast. */
  readonly untilMs: number;
  /** Start of the entity's session; `timeMs` where nobody asks. */
  readonly sessionMs: number;
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
  const side = testSideOf(spec.test, spec.gapMs, subject);
  return side === "rest" ? validationOf(spec.validation, spec.gapMs, subject) : side;
}

function testSideOf(test: TestSpec, gapMs: number, subject: SplitSubject): "test" | "gap" | "rest" {
  switch (test.kind) {
    case "none":
    case "given":
      return "rest";
    case "from":
      if (subject.timeMs >= test.fromMs) return "test";
      return reaches(subject, test.fromMs, gapMs) ? "gap" : "rest";
    case "last":
      return lastSideOf(test, gapMs, subject);
    // Drawn by other numbers than validation's, or the one would have what the other left.
    case "entity":
      return isDrawn(stir(hashText(subject.entity) ^ TEST_SALT), test.share) ? "test" : "rest";
    case "session": {
      const hash = hashTime(hashText(subject.entity) ^ TEST_SALT, subject.sessionMs);
      return isDrawn(hash, test.share) ? "test" : "rest";
    }
    default:
      return unreachable(test);
  }
}

// Every block ends with its test rows.
function lastSideOf(
  { share, blockMs }: Extract<TestSpec, { kind: "last" }>,
  gapMs: number,
  subject: SplitSubject,
): "test" | "gap" | "rest" {
  const endMs = (Math.floor(subject.timeMs / blockMs) + 1) * blockMs;
  const lengthMs = share * blockMs;
  // A label this far on may be a train row's own past.
  if (subject.timeMs >= endMs - lengthMs) return subject.untilMs < endMs + gapMs ? "test" : "gap";
  // The test rows of the blocks before: with a gap longer than a block, of more than the last.
  if (subject.timeMs < endMs - blockMs + gapMs) return "gap";
  return reaches(subject, endMs - lengthMs, gapMs) ? "gap" : "rest";
}

function validationOf(validation: ValidationSpec, gapMs: number, subject: SplitSubject): Split | "gap" {
  if (validation.share <= 0) return "train";
  switch (validation.by) {
    case "entity":
      return isDrawn(hashText(subject.entity), validation.share) ? "validation" : "train";
    case "example":
      return isDrawn(hashTime(hashText(subject.entity), subject.timeMs), validation.share)
        ? "validation"
        : "train";
    case "time":
      return sideInTime(validation, gapMs, subject);
    default:
      return unreachable(validation.by);
  }
}

function isDrawn(hash: number, share: number): boolean {
  return hash < share * 2 ** 32;
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
