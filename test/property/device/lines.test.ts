// Lines are the same however the stream was cut into chunks, and each says where the stream goes on after it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "../../../device/ingest/sources/lines.js";

const MAX = 12;
const text = fc
  .array(fc.constantFrom("a", "b", "é", "\n", "\r\n", " "), { maxLength: 80 })
  .map((parts) => parts.join(""));
const cuts = fc.array(fc.nat(100), { maxLength: 12 });

function split(bytes: Uint8Array, at: readonly number[], offset = 0) {
  const tooLong: number[] = [];
  const splitter = new LineSplitter({
    lineBytesMax: MAX,
    offset,
    onTooLong: (length) => tooLong.push(length),
  });
  const borders = [0, ...at.filter((cut) => cut <= bytes.length).sort((a, b) => a - b), bytes.length];
  const lines = borders.slice(1).flatMap((to, i) => [...splitter.push(bytes.subarray(borders[i], to))]);
  lines.push(...splitter.end());
  return { lines: lines.map(({ bytes, end }) => ({ text: Buffer.from(bytes).toString(), end })), tooLong };
}

test("chunks change nothing", () => {
  fc.assert(
    fc.property(text, cuts, (text, cuts) => {
      const bytes = Buffer.from(text);
      expect(split(bytes, cuts)).toEqual(split(bytes, []));
    }),
  );
});

test("they are the lines of the text; what is too long is skipped and told", () => {
  fc.assert(
    fc.property(text, cuts, (text, cuts) => {
      const { lines, tooLong } = split(Buffer.from(text), cuts);
      const all = text.split("\n").map((line) => ({ line, bytes: Buffer.byteLength(line) }));
      expect(lines.map(({ text }) => text)).toEqual(
        all
          .filter(({ bytes }) => bytes <= MAX)
          .map(({ line }) => line.replace(/\r$/, ""))
          .filter((line) => line !== ""),
      );
      expect(tooLong).toEqual(all.filter(({ bytes }) => bytes > MAX).map(({ bytes }) => bytes));
    }),
  );
});

test("reading on where a line ended gives the rest", () => {
  fc.assert(
    fc.property(text, fc.nat(20), (text, nth) => {
      const bytes = Buffer.from(text);
      const { lines } = split(bytes, []);
      const from = lines[nth]?.end ?? 0;
      const rest = split(bytes.subarray(from), [], from);
      expect(rest.lines).toEqual(lines.filter(({ end }) => end > from));
    }),
  );
});

test("the mark at the beginning of UTF-8 is no part of the first line, and one elsewhere stays", () => {
  const bytes = Buffer.from("\ufeffa\n\ufeffb\n");
  expect(split(bytes, []).lines.map(({ text }) => text)).toEqual(["a", "\ufeffb"]);
});
