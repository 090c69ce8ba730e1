import { PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { writeTable } from "../../../cli/data.js";
import { textOutTo } from "../../../cli/text-out.js";
import type { ExportValue } from "../../../device/catalogue/export.js";

async function written(records: Iterable<readonly ExportValue[]>, format: "csv" | "jsonl"): Promise<string> {
  const out = new PassThrough();
  const read = text(out);
  await writeTable(textOutTo(out, "out"), { columns: ["a", "b"], records }, format);
  out.end();
  return read;
}

const records: readonly (readonly ExportValue[])[] = [
  [1.5, 'say "x", y'],
  [null, [1, 2]],
];

test("CSV has a header, quotes where it must, and nothing where a value is missing", async () => {
  expect(await written(records, "csv")).toBe('a,b\n1.5,"say ""x"", y"\n,1 2\n');
});

test("JSON lines name every value", async () => {
  expect(await written(records, "jsonl")).toBe('{"a":1.5,"b":"say \\"x\\", y"}\n{"a":null,"b":[1,2]}\n');
});

test("records are read no faster than they are taken, and no longer than somebody reads", async () => {
  let made = 0;
  function* many(): Generator<readonly ExportValue[]> {
    for (; made < 1_000_000; made++) yield [made, "x".repeat(100)];
  }
  const out = new PassThrough();
  const done = writeTable(textOutTo(out, "out"), { columns: ["a", "b"], records: many() }, "csv");
  await new Promise((resolve) => setImmediate(resolve));
  expect(made).toBeLessThan(10_000);
  out.destroy(Object.assign(new Error("the reader has gone"), { code: "EPIPE" }));
  await done;
  expect(made).toBeLessThan(10_000);
});

test("a full disk is told, not taken for a reader who has had enough", async () => {
  const full = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error("no space left"), { code: "ENOSPC" })),
  });
  const table = { columns: ["a", "b"], records };
  await expect(writeTable(textOutTo(full, "out"), table, "csv")).rejects.toMatchObject({
    ...{ code: "storage-failed", message: "cannot write to out: no space left" },
  });
});
