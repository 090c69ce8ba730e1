// IDX files, the format MNIST comes in: images of bytes and labels of bytes.

import { HeadwaterError } from "../../shared/error.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { SimulatedSource } from "../../shared/task/task.js";
import { readUnpacked } from "./files.js";

export type IdxSource = Extract<SimulatedSource, { kind: "idx" }>;

/** Event time between two images: the format has none, and rows need an order. */
const STEP_MS = 1000;

/** What the images and labels of two files become. */
export interface IdxOptions {
  readonly source: IdxSource;
  readonly sourceName: string;
  readonly images: string;
  readonly labels: string;
  readonly entity: string;
  /** Length of the vector that the task declares for an image. */
  readonly pixels: number;
}

/** One reading an image, in the files' order. Throws `data-invalid`. */
export function readIdx({ source, sourceName, images, labels, entity, pixels }: IdxOptions): Reading[] {
  const pictures = readArray(images);
  const classes = readArray(labels);
  const [count = 0] = pictures.lengths;
  if (classes.lengths.length !== 1 || classes.lengths[0] !== count) {
    throw new HeadwaterError(
      "data-invalid",
      `${labels} has ${classes.lengths.join(" x ")} labels for the ${count} images of ${images}`,
    );
  }
  const size = pictures.data.length / count;
  if (size !== pixels) {
    const shape = pictures.lengths.slice(1).join(" x ");
    throw new HeadwaterError(
      "data-invalid",
      `${images} has images of ${shape} pixels; the task says ${pixels} for ${source.imageField}`,
    );
  }
  const all = divided(pictures.data, source.divide);
  return Array.from({ length: count }, (_, index) => {
    // Views of one array: tens of thousands of small ones would be work for the garbage collector all along.
    const image = all.subarray(index * size, (index + 1) * size);
    const values = { [source.imageField]: image, [source.labelField]: classes.data[index]! };
    return { source: sourceName, entity, timeMs: index * STEP_MS, values };
  });
}

function divided(bytes: Uint8Array, divisor: number): Float32Array {
  const quotients = Float32Array.from({ length: 256 }, (_, byte) => byte / divisor);
  const out = new Float32Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) out[at] = quotients[bytes[at]!]!;
  return out;
}

/** An array of unsigned bytes and its lengths, first axis first. */
interface ByteArray {
  readonly lengths: readonly number[];
  readonly data: Uint8Array;
}

// Two zero bytes, the type (8 = unsigned byte), the number of axes, each length as u32be, then the data.
function readArray(path: string): ByteArray {
  const bytes = readUnpacked(path);
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0 || bytes[2] !== 8 || bytes[3] === 0) {
    throw new HeadwaterError("data-invalid", `${path} is not an IDX file of unsigned bytes`);
  }
  const axes = bytes[3]!;
  const start = 4 + 4 * axes;
  if (bytes.length < start) throw new HeadwaterError("data-invalid", `${path} ends within its header`);
  const lengths = Array.from({ length: axes }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const expected = lengths.reduce((product, length) => product * length, 1);
  const data = bytes.subarray(start);
  if (data.length !== expected || expected === 0) {
    const shape = lengths.join(" x ");
    throw new HeadwaterError(
      "data-invalid",
      `${path} has ${data.length} bytes of data, ${shape} were announced`,
    );
  }
  return { lengths, data };
}
