// `decode: {samples: ...}`: blocks of raw samples.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import { frequencyHz } from "../units.js";
import { path } from "./path.js";

const BOUND = 1e12;
const finite = z.number().min(-BOUND).max(BOUND);

const headerTime = z.strictObject({
  at: z.int().min(0).max(4096).describe("Its first byte, counted from 0."),
  type: z
    .enum(["u32", "u64", "f64"])
    .prefault("u64")
    .describe("How it is written, in the order of the samples."),
  unit: z.enum(["s", "ms", "us", "ns"]).prefault("ms").describe("Since the Unix epoch."),
});

const header = z
  .strictObject({
    bytes: z.int().min(1).max(4096).describe("Bytes before the first sample."),
    time: headerTime.optional().describe("Where among them the time of the first sample is."),
  })
  .refine(({ bytes, time }) => time === undefined || time.at + (time.type === "u32" ? 4 : 8) <= bytes, {
    error: "expected a time that lies within the header's bytes",
    path: ["time"],
  })
  .transform(({ bytes, time }) => ({ bytes, time }));

/** Options of `samples`. */
export const samples = z
  .strictObject({
    type: z.enum(["i8", "u8", "i16", "u16", "i32", "f32"]).describe("One raw sample."),
    order: z.enum(["little", "big"]).prefault("little").describe("Byte order."),
    channels: z
      .array(fieldName)
      .min(1)
      .max(64)
      .refine((names) => new Set(names).size === names.length, { error: "expected each name once" })
      .describe("The fields, in the order in which their samples alternate."),
    length: z.int().min(2).max(65_536).describe("Samples of one reading, per channel."),
    rate: frequencyHz.describe("Samples a second, per channel: 3200Hz."),
    scale: finite.refine((value) => value !== 0, { error: "expected anything but 0" }).prefault(1),
    offset: finite.prefault(0).describe("A sample is raw x scale + offset."),
    header: header.optional().describe("Bytes before the samples."),
    json: path.optional().describe("The block is base64 text at this path of a JSON object."),
  })
  .transform(({ rate, header, json, ...rest }) => ({ ...rest, rateHz: rate, header, json }));
