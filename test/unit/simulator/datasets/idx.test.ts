import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type IdxSource, readIdx } from "../../../../simulator/datasets/idx.js";
import { idxFile } from "../../../support/idx-file.js";
import { tempFolder } from "../../../support/temp-folder.js";

const folder = tempFolder();
const images = idxFile([2, 1, 3], [0, 51, 102, 153, 204, 255]);
const labels = idxFile([2], [7, 1]);

function read(pictures: Uint8Array, classes: Uint8Array, { pixels = 3, suffix = "" } = {}) {
  const source: IdxSource = {
    kind: "idx",
    images: "",
    labels: "",
    imageField: "pixels",
    labelField: "digit",
    divide: 51,
  };
  return readIdx({
    source,
    sourceName: "digits",
    images: folder.write(`images${suffix}`, pictures),
    labels: folder.write(`labels${suffix}`, classes),
    entity: "images",
    pixels,
  });
}

test("an image and its label become one reading, in the files' order", () => {
  expect(read(images, labels)).toEqual([
    {
      ...{ source: "digits", entity: "images", timeMs: 0 },
      values: { pixels: Float32Array.of(0, 1, 2), digit: 7 },
    },
    {
      ...{ source: "digits", entity: "images", timeMs: 1000 },
      values: { pixels: Float32Array.of(3, 4, 5), digit: 1 },
    },
  ]);
});

test("gzipped files are unpacked", () => {
  expect(read(gzipSync(images), gzipSync(labels), { suffix: ".gz" })).toHaveLength(2);
});

describe("a bad IDX file is refused:", () => {
  const wrongType = Buffer.from(images);
  wrongType[2] = 13;
  const refused: readonly (readonly [string, Uint8Array, Uint8Array, RegExp])[] = [
    ["not IDX at all", Buffer.from("hello"), labels, /images is not an IDX file of unsigned bytes/],
    ["empty", Buffer.alloc(0), labels, /images is not an IDX file/],
    ["floats instead of bytes", wrongType, labels, /images is not an IDX file of unsigned bytes/],
    ["cut within its header", images.subarray(0, 9), labels, /images ends within its header/],
    ["cut within its data", images.subarray(0, -1), labels, /images has 5 bytes .*2 x 1 x 3 were announced/],
    ["data beyond its end", Buffer.concat([images, images]), labels, /2 x 1 x 3 were announced/],
    ["no images", idxFile([0, 1, 3], []), labels, /0 x 1 x 3 were announced/],
    ["labels for other images", images, idxFile([3], [1, 2, 3]), /labels has 3 labels for the 2 images/],
    ["images for labels", images, images, /labels has 2 x 1 x 3 labels for the 2 images/],
  ];

  test.each(refused)("%s", (_, pictures, classes, message) => {
    expect(() => read(pictures, classes)).toThrow(message);
  });

  test("images of another size than the task says", () => {
    expect(() => read(images, labels, { pixels: 784 })).toThrow(/images of 1 x 3 pixels; the task says 784/);
  });
});
