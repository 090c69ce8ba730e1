// `text` and `convert`: what the values of a message become.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { ConvertSpec, TextSpec } from "../decode-spec.js";
import { didYouMean } from "../suggest.js";
import { conversions } from "../unit-pairs.js";
import { named } from "./names.js";

const TEXT_RULE = 'expected a list of texts such as [off, heat, cool], "hash" or "number"';

// A list may hold what YAML reads as true or 21: it is compared as text.
const word = z
  .union([z.string().max(256), z.number(), z.boolean()], { error: "expected text" })
  .transform(String);

const list = z
  .array(word)
  .min(1)
  .max(1024)
  .refine((words) => new Set(words).size === words.length, { error: "expected each text once" });

const textRule = z
  .union([z.enum(["hash", "number"]), list], { error: TEXT_RULE })
  .transform(
    (value): TextSpec => (typeof value === "string" ? { kind: value } : { kind: "list", words: value }),
  );

/** Fields that are text. */
export const text = named(textRule, 256, fieldName)
  .prefault({})
  .describe(
    "Fields that are text in the message: a list (a text becomes its place, from 0; -1 when it is not there), hash (32-bit FNV-1a), or number (digits in quotes).",
  );

const BOUND = 1e12;
const finite = z.number().min(-BOUND).max(BOUND);

const factors = z.strictObject({
  times: finite.refine((value) => value !== 0, { error: "expected anything but 0" }).prefault(1),
  plus: finite.prefault(0),
});

const conversion = z
  .union([z.string().refine(isPair, { error: ({ input }) => explain(input) }), factors], {
    error: 'expected a pair of units such as "F to C", or {times, plus}',
  })
  .transform((value): ConvertSpec => (typeof value === "string" ? conversions[value]! : value));

/** Fields that come in another unit. */
export const convert = named(conversion, 256, fieldName)
  .prefault({})
  .describe('Fields that come in another unit: "F to C", or {times, plus}.');

function isPair(text: string): boolean {
  return Object.hasOwn(conversions, text);
}

function explain(input: unknown): string {
  const known = Object.keys(conversions);
  const hint = didYouMean(String(input), known) || ` (known: ${known.join(", ")})`;
  return `expected a known pair of units, or {times, plus}${hint}`;
}
