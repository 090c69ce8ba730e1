// Files as a source: real files in a temporary folder, read once, followed, rotated, and read on where they were left.

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { FileBinding } from "../../device/ingest/sources/binding.js";
import { defaultSourceLimits } from "../../device/ingest/sources/binding.js";
import { fileKind } from "../../device/ingest/sources/file.js";
import type { BoundSource, Source, SourceContext } from "../../device/ingest/sources/port.js";
import { bound, createSourceLab, type SourceLab } from "../support/source-lab.js";
import { tempFolder } from "../support/temp-folder.js";
import { until } from "../support/until.js";

const temp = tempFolder();
const opened: Source[] = [];

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});

/** A new folder of its own. */
function folder(): string {
  return mkdtempSync(join(temp.path, "case-"));
}

async function open(
  binding: Partial<FileBinding> & { readonly path: string },
  options: Partial<BoundSource> = {},
  context: Partial<SourceContext> = {},
): Promise<SourceLab & { readonly source: Source }> {
  const lab = createSourceLab(context);
  const file = bound<FileBinding>({ kind: "file", isFollowed: false, speed: undefined, ...binding }, options);
  const source = await fileKind.open([file], lab.context);
  opened.push(source);
  return Object.assign(lab, { source });
}

/** Reads to the end of everything. */
async function readAll(...args: Parameters<typeof open>): Promise<SourceLab> {
  const lab = await open(...args);
  await until(() => lab.ended.length > 0);
  return lab;
}

describe("a file that is read once", () => {
  test("gives its lines in order, each with where to go on, and then ends", async () => {
    const path = join(folder(), "readings.csv");
    writeFileSync(path, "a,1\r\n\nb,2\nlast");
    const lab = await readAll({ path });
    expect(lab.texts).toEqual(["a,1", "b,2", "last"]);
    expect(lab.taken.map(({ position }) => position)).toEqual([5, 10, 14]);
    expect(lab.taken[0]).toMatchObject({ source: "s", topic: "readings" });
    expect(lab.ended).toEqual(["s"]);
  });

  test("is unpacked when it is packed, members one after the other", async () => {
    const path = join(folder(), "archive.jsonl.gz");
    writeFileSync(path, Buffer.concat([gzipSync("1\n2\n"), gzipSync("3\n")]));
    const lab = await readAll({ path });
    expect(lab.texts).toEqual(["1", "2", "3"]);
    expect(lab.taken.at(-1)?.position).toBe(6);
  });

  test("hands every line on below its header", async () => {
    const path = join(folder(), "a.csv");
    writeFileSync(path, "\ufefft,v\n1,2\n3,4\n");
    const lab = await readAll({ path }, { hasHeader: true });
    expect(lab.texts).toEqual(["t,v\n1,2", "t,v\n3,4"]);
  });

  test("has lines that are too long skipped and counted, whatever their length", async () => {
    const path = join(folder(), "a.txt");
    writeFileSync(path, `a\n${"x".repeat(600_000)}\nb\n`);
    const lab = await readAll({ path });
    expect(lab.texts).toEqual(["a", "b"]);
    expect(lab.counters.get("telemetry.line-too-long")).toBe(1);
  });

  test("comes no faster than its rate", async () => {
    const path = join(folder(), "a.txt");
    writeFileSync(path, "1\n2\n3\n4\n5\n");
    const limits = { ...defaultSourceLimits, rate: 50, burst: 1 };
    const lab = await readAll({ path, limits });
    const { arrivalMs } = lab.taken[0]!;
    expect(lab.taken.at(-1)!.arrivalMs - arrivalMs).toBeGreaterThanOrEqual(55);
  });

  test("is waited for while it is not there", async () => {
    const path = join(folder(), "late.txt");
    const lab = await open({ path });
    await until(() => lab.counters.get("telemetry.no-file") === 1);
    writeFileSync(path, "1\n");
    await until(() => lab.ended.length === 1);
    expect(lab.texts).toEqual(["1"]);
  });
});

describe("several files", () => {
  test("come in the order of their names; hidden ones and others stay out", async () => {
    const place = folder();
    for (const name of ["b-2.txt", "b-10.txt", "a.txt", ".b-0.txt", "b-3.csv"]) {
      writeFileSync(join(place, name), `${name}\n`);
    }
    const lab = await readAll({ path: join(place, "b-*.txt") });
    expect(lab.texts).toEqual(["b-10.txt", "b-2.txt"]);
    expect(lab.taken.map(({ topic }) => topic)).toEqual(["b-10", "b-2"]);
    expect(lab.taken.map(({ position }) => position)).toEqual([9, 17]);
  });

  test("go on after one that cannot be read, which is counted", async () => {
    const place = folder();
    writeFileSync(join(place, "1.gz"), gzipSync("a\n".repeat(1000)).subarray(0, 20));
    mkdirSync(join(place, "2.gz"));
    writeFileSync(join(place, "3.gz"), gzipSync("c\n"));
    const lab = await readAll({ path: join(place, "?.gz") });
    expect(lab.texts.at(-1)).toBe("c");
    expect(lab.counters.get("telemetry.file-broken")).toBe(2);
  });
});

/** Reads from the last position that `lab` was given. */
function resumed(lab: SourceLab, messages = lab.taken.length): Partial<SourceContext> {
  const position = lab.taken[messages - 1]?.position;
  return { folder: lab.context.folder, positionOf: () => position };
}

describe("reading on", () => {
  test("after any message gives exactly the messages after it, in plain and packed files, with and without a header", async () => {
    const lines = fc.array(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 5 });
    const files = fc.array(fc.record({ lines, isPacked: fc.boolean() }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(files, fc.boolean(), async (files, hasHeader) => {
        const place = folder();
        for (const [i, { lines, isPacked }] of files.entries()) {
          const text = lines.map((line) => `${line}\n`).join("");
          writeFileSync(join(place, `${i}.txt${isPacked ? ".gz" : ""}`), isPacked ? gzipSync(text) : text);
        }
        const path = join(place, "*.txt*");
        const data = join(place, "data");
        const whole = await readAll({ path }, { hasHeader }, { folder: data });
        for (let taken = 1; taken <= whole.taken.length; taken++) {
          const rest = await readAll({ path }, { hasHeader }, resumed(whole, taken));
          expect(rest.texts).toEqual(whole.texts.slice(taken));
          expect(rest.taken.map(({ position }) => position)).toEqual(
            whole.taken.slice(taken).map(({ position }) => position),
          );
        }
        rmSync(place, { recursive: true });
      }),
      { numRuns: 25 },
    );
  });

  test("goes on with files that have come, though earlier ones have gone", async () => {
    const place = folder();
    const path = join(place, "*.txt");
    writeFileSync(join(place, "1.txt"), "a\n");
    writeFileSync(join(place, "2.txt"), "b\n");
    const first = await readAll({ path }, {}, { folder: join(place, "data") });
    rmSync(join(place, "1.txt"));
    writeFileSync(join(place, "3.txt"), "c\n");
    expect((await readAll({ path }, {}, resumed(first))).texts).toEqual(["c"]);
  });

  test("finishes a file that was rotated in between, and then its successor", async () => {
    const place = folder();
    const path = join(place, "log.txt");
    writeFileSync(path, "a\nb\n");
    const first = await open({ path, isFollowed: true }, {}, { folder: join(place, "data") });
    await until(() => first.taken.length === 2);
    await first.source.close();
    appendFileSync(path, "c\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "d\n");
    const second = await open({ path, isFollowed: true }, {}, resumed(first));
    await until(() => second.taken.length === 2);
    expect(second.texts).toEqual(["c", "d"]);
    expect(second.taken.map(({ position }) => position)).toEqual([6, 8]);
  });

  test("tells when the file has gone, and begins with its successor", async () => {
    const place = folder();
    const path = join(place, "log.txt");
    writeFileSync(path, "a\n");
    const first = await open({ path, isFollowed: true }, {}, { folder: join(place, "data") });
    await until(() => first.taken.length === 1);
    await first.source.close();
    // Written before the other is removed: a new file must not get its inode.
    writeFileSync(join(place, "new"), "z\n");
    renameSync(join(place, "new"), path);
    const second = await open({ path, isFollowed: true }, {}, resumed(first));
    await until(() => second.taken.length === 1);
    expect(second.texts).toEqual(["z"]);
    expect(second.counters.get("telemetry.file-gone")).toBe(1);
  });

  test("of another path begins at its beginning, with positions above all before", async () => {
    const place = folder();
    writeFileSync(join(place, "a.txt"), "a\n");
    writeFileSync(join(place, "b.txt"), "b\n");
    const data = { folder: join(place, "data") };
    const first = await readAll({ path: join(place, "a.txt") }, {}, data);
    const second = await readAll({ path: join(place, "b.txt") }, {}, resumed(first));
    expect(second.taken.map(({ position }) => position)).toEqual([4]);
  });
});

describe("a file that is followed", () => {
  test("gives what is appended, a line when it is whole", async () => {
    const path = join(folder(), "log.txt");
    writeFileSync(path, "a\nb");
    const lab = await open({ path, isFollowed: true });
    await until(() => lab.taken.length === 1);
    appendFileSync(path, "c\nd\n");
    await until(() => lab.taken.length === 3);
    expect(lab.texts).toEqual(["a", "bc", "d"]);
    expect(lab.ended).toEqual([]);
  });

  test("is read to its end when it is rotated, the last writes included, and then its successor", async () => {
    const path = join(folder(), "log.txt");
    writeFileSync(path, "a\n");
    const lab = await open({ path, isFollowed: true });
    await until(() => lab.taken.length === 1);
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, "b\nc");
    writeFileSync(path, "d\n");
    await until(() => lab.taken.length === 4);
    expect(lab.texts).toEqual(["a", "b", "c", "d"]);
    expect(lab.taken.map(({ position }) => position)).toEqual([2, 4, 5, 7]);
  });

  test("is read from its beginning again when it was cut off", async () => {
    const path = join(folder(), "log.txt");
    writeFileSync(path, "a\nb\n");
    const lab = await open({ path, isFollowed: true });
    await until(() => lab.taken.length === 2);
    truncateSync(path);
    appendFileSync(path, "c\n");
    await until(() => lab.taken.length === 3);
    expect(lab.texts).toEqual(["a", "b", "c"]);
  });

  test("by a name with wildcards goes on with the next file once there is one", async () => {
    const place = folder();
    writeFileSync(join(place, "2026-01-01.txt"), "a\n");
    const lab = await open({ path: join(place, "2026-*.txt"), isFollowed: true });
    await until(() => lab.taken.length === 1);
    appendFileSync(join(place, "2026-01-01.txt"), "b\n");
    writeFileSync(join(place, "2026-01-02.txt"), "c\n");
    await until(() => lab.taken.length === 3);
    expect(lab.texts).toEqual(["a", "b", "c"]);
  });

  test("ends within its line when the source is closed: half a line is no message", async () => {
    const path = join(folder(), "log.txt");
    writeFileSync(path, "a\nhalf");
    const lab = await open({ path, isFollowed: true });
    await until(() => lab.taken.length === 1);
    await lab.source.close();
    expect(lab.texts).toEqual(["a"]);
    expect(lab.ended).toEqual([]);
  });
});
