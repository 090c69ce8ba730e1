// How a window is written in a task, and what may not be combined.

import { z } from "zod";
import { durationMs, shareWithin } from "../../../task/units.js";
import { isZone } from "../../../zone.js";
import { fieldName } from "../fields.js";
import { rowCount, type WindowStatistic, windowStatistic } from "../statistic.js";
import { DAY_MS } from "./grid.js";
import type { SpanField } from "./pane.js";

/** More windows than this are never open at once, nor are there more early rows per window. */
const MAX_OVERLAP = 1_000;

/** What kind of window, and where it begins and ends. */
export type WindowKind =
  | {
      readonly kind: "time";
      readonly sizeMs: number;
      readonly everyMs: number;
      readonly offsetMs: number;
      readonly zone: string | undefined;
    }
  | { readonly kind: "rows"; readonly size: number; readonly every: number }
  | { readonly kind: "sliding"; readonly overMs: number }
  | { readonly kind: "session"; readonly gapMs: number; readonly maxMs: number }
  | {
      readonly kind: "while";
      readonly of: string;
      readonly is: readonly number[] | undefined;
      readonly above: number | undefined;
      readonly below: number | undefined;
      readonly maxMs: number;
    };

/** When rows come out: when a window closes, with each row that comes in, or every so often. */
export type EmitParam = "close" | "each" | { readonly everyMs: number };

/** What an author wrote. */
export interface WindowParams {
  readonly window: WindowKind;
  readonly span: readonly SpanField[];
  /** The share of a window that rows must cover, and the time between two of them if it is written. */
  readonly minCover: number | undefined;
  readonly spacingMs: number | undefined;
  readonly emit: EmitParam;
  readonly get: Readonly<Record<string, readonly WindowStatistic[]>>;
}

const spanFields = z
  .array(z.enum(["seconds", "rows"]))
  .prefault([])
  .describe("What to say of the window itself: its seconds from first to last row, its rows.");
const maxMs = durationMs.prefault("1d").describe("Longest window; then the next one begins.");
const number = z.number();

const written = z.strictObject({
  over: durationMs.optional().describe("Windows of so much event time, [start, start + over)."),
  rows: rowCount.optional().describe("Windows of so many rows."),
  sliding: durationMs.optional().describe("The time up to each row: (t - sliding, t]."),
  session: z
    .strictObject({
      gap: durationMs.describe("Silence that ends a session."),
      max: maxMs,
      get: spanFields,
    })
    .optional()
    .describe("Rows with less than `gap` between them."),
  while: z
    .strictObject({
      of: fieldName,
      is: z
        .union([number, z.array(number).min(1).max(64)])
        .optional()
        .describe("This value, or one of these."),
      above: number.optional(),
      below: number.optional(),
      max: maxMs,
      get: spanFields,
    })
    .optional()
    .describe("Rows as long as a condition on a field holds."),
  every: z
    .union([durationMs.transform((ms) => ({ ms })), rowCount.transform((rows) => ({ rows }))], {
      error: "expected a duration (with over) or a number of rows (with rows)",
    })
    .optional()
    .describe("From one window's start to the next. Default: its length, so that windows do not overlap."),
  offset: durationMs.optional().describe("Where windows of time begin, counted from 1970-01-01T00:00."),
  zone: z
    .string()
    .refine(isZone, { error: "expected an IANA time zone such as Europe/Berlin" })
    .optional()
    .describe("Windows of whole days begin at this zone's midnight. Default: UTC."),
  minCover: shareWithin({ min: 0.01, max: 1 })
    .optional()
    .describe("Drop windows of which rows cover less than this share."),
  spacing: durationMs.optional().describe("What one row covers. Default: the grid that rows come on."),
  emit: z
    .union([
      z.enum(["close", "each"]),
      z.strictObject({ every: durationMs }).transform(({ every }) => ({ everyMs: every })),
    ])
    .prefault("close")
    .describe("When rows come out: once a window closes, with each row, or every so often as it grows."),
  get: z
    .record(fieldName, z.array(windowStatistic).min(1).max(16))
    .prefault({})
    .describe("Field -> statistics. They become the fields `temp.mean`, `temp.std`, ..."),
});

type Written = z.output<typeof written>;

/** How a window is written. */
export const windowParams = written
  .superRefine((params, context) => {
    const [fault] = faultsOf(params);
    if (fault !== undefined)
      context.addIssue({ code: "custom", path: [...fault.path], message: fault.message });
  })
  .transform((params): WindowParams => {
    const { minCover, spacing, emit, get } = params;
    const span = params.session?.get ?? params.while?.get ?? [];
    return { window: kindOf(params), span, minCover, spacingMs: spacing, emit, get };
  });

function kindOf(params: Written): WindowKind {
  const { over, rows, sliding, session, while: state, every, offset = 0, zone } = params;
  if (over !== undefined)
    return { kind: "time", sizeMs: over, everyMs: msOf(every) ?? over, offsetMs: offset, zone };
  if (sliding !== undefined) return { kind: "sliding", overMs: sliding };
  if (session !== undefined) return { kind: "session", gapMs: session.gap, maxMs: session.max };
  if (state !== undefined) {
    const { of, is, above, below, max } = state;
    return { kind: "while", of, is: typeof is === "number" ? [is] : is, above, below, maxMs: max };
  }
  const size = rows ?? 1;
  return { kind: "rows", size, every: rowsOf(every) ?? size };
}

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

function* faultsOf(params: Written): Generator<Fault> {
  const { over, rows, sliding, session, while: state, every } = params;
  const kinds = [over, rows, sliding, session, state].filter((kind) => kind !== undefined);
  if (kinds.length !== 1)
    yield { path: [], message: 'expected exactly one of "over", "rows", "sliding", "session" or "while"' };
  if (every !== undefined) yield* faultsOfEvery(params);
  yield* faultsOfAlignment(params);
  if (session !== undefined && session.gap > session.max)
    yield { path: ["session", "gap"], message: "expected at most max" };
  if (state !== undefined && (state.is ?? state.above ?? state.below) === undefined)
    yield { path: ["while"], message: "expected a condition: is, above or below" };
  yield* faultsOfEmission(params);
}

function* faultsOfEvery({ over, rows, every }: Written): Generator<Fault> {
  const path = ["every"];
  const length = over ?? rows;
  if (length === undefined) {
    yield { path, message: 'goes with "over" or "rows" only' };
    return;
  }
  const step = over === undefined ? rowsOf(every) : msOf(every);
  if (step === undefined)
    yield { path, message: "expected a duration (with over) or a number of rows (with rows)" };
  else if (step > length)
    yield { path, message: "expected at most the window's length: rows between windows would be lost" };
  else if (length / step > MAX_OVERLAP)
    yield { path, message: `more than ${MAX_OVERLAP} windows would be open at once` };
}

function* faultsOfAlignment({ over, every, offset, zone }: Written): Generator<Fault> {
  if (offset !== undefined && over === undefined)
    yield { path: ["offset"], message: 'goes with "over" only' };
  if (zone === undefined) return;
  if (over === undefined) yield { path: ["zone"], message: 'goes with "over" only' };
  else if (over % DAY_MS !== 0 || (msOf(every) ?? over) % DAY_MS !== 0)
    yield { path: ["zone"], message: "is for windows of whole days; for hours use offset" };
}

// Rows must come out in strictly rising time, whatever the windows: early rows of windows that overlap would not.
function* faultsOfEmission({
  over,
  rows,
  every,
  sliding,
  emit,
  minCover,
  spacing,
}: Written): Generator<Fault> {
  if (spacing !== undefined && minCover === undefined)
    yield { path: ["spacing"], message: "is for minCover only" };
  if (emit === "close") return;
  const path = ["emit"];
  const step = msOf(every) ?? rowsOf(every);
  if (sliding !== undefined) yield { path, message: "a sliding window gives a row for each row anyway" };
  if (step !== undefined && step !== (over ?? rows))
    yield { path, message: "windows that overlap would give early rows of one time: leave out every" };
  if (minCover !== undefined)
    yield { path, message: "early rows cover little of their window: they do not go with minCover" };
  if (emit === "each") return;
  if (over === undefined)
    yield { path, message: 'early rows every so often go with "over" only: expected each' };
  else if (emit.everyMs > over || over / emit.everyMs > MAX_OVERLAP)
    yield { path, message: `expected 1 to ${MAX_OVERLAP} early rows in a window` };
}

function msOf(every: Written["every"]): number | undefined {
  return every !== undefined && "ms" in every ? every.ms : undefined;
}

function rowsOf(every: Written["every"]): number | undefined {
  return every !== undefined && "rows" in every ? every.rows : undefined;
}
