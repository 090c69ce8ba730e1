// frame: blocks as they were sent become blocks as a model wants them.

import { z } from "zod";
import { shareWithin } from "../../task/units.js";
import { jitterOf } from "../signal/continuity.js";
import { SampleBuffer } from "../signal/sample-buffer.js";
import type { Saved } from "../state.js";
import type { PipelineRow, Value } from "../types.js";
import { alsoReads, fieldNames } from "./fields.js";
import { jitterParam } from "./filter.js";
import {
  type Cost,
  type Field,
  type Input,
  OperatorError,
  type StepContext,
  type StepInstance,
  type StepOperator,
} from "./port.js";
import { pathOf, rateOf, rateParam, vectorPosition } from "./vectors.js";

// Each sample is copied into every frame it lies in.
const MAX_OVERLAP = 100;
// Besides its channels a sample has a time and a mark.
const BYTES_PER_TIME = 9;

const params = z
  .strictObject({
    of: fieldNames,
    size: z.int().min(2).max(65_536).describe("Samples of a frame."),
    every: z
      .int()
      .min(1)
      .max(65_536)
      .optional()
      .describe(
        "Samples from one frame's start to the next. Default: its size, so that frames do not overlap.",
      ),
    rate: rateParam,
    jitter: jitterParam,
    minCover: shareWithin({ min: 0.5, max: 1 })
      .prefault("100%")
      .describe(
        "Share of a frame's samples that must have been measured; a straight line fills in the others.",
      ),
  })
  .transform(({ every, ...rest }) => ({ ...rest, every: every ?? rest.size }))
  .refine(({ size, every }) => every <= size, {
    error: "expected at most the frame's size: samples between frames would be lost",
    path: ["every"],
  })
  .refine(({ size, every }) => size / every <= MAX_OVERLAP, {
    error: `a sample would lie in more than ${MAX_OVERLAP} frames`,
    path: ["every"],
  });

type Params = z.output<typeof params>;

/**
 * Frames of `size` samples, whatever blocks they came in: the first one begins with the first sample, the next `every`
 * samples later. A row's time is its frame's first sample's; other fields have the value of the frame's last block.
 *
 * A block whose time is off by more than `jitter` leaves a gap. One so short that a frame could still have its `minCover`
 * is bridged by straight lines (`frame.bridged` counts samples); behind a longer one, or over an overlap, frames begin
 * anew (`frame.gap`). A frame with less than `minCover` is dropped (`frame.uncovered`), as is a block that misses one
 * of the vectors (`frame.missing`).
 */
export const frame: StepOperator<Params> = {
  name: "frame",
  doc: "Frames of so many samples, whatever blocks they came in: {of: vector or vectors, size: 128, every: 64, rate: 50Hz, jitter, minCover: 95%}. Named by the time of its first sample.",
  example: {
    params: { of: ["ax", "ay"], size: 8, every: 4, rate: "50Hz", minCover: "70%" },
    vectors: { ax: 5, ay: 5 },
  },
  params,
  reads: ({ of }, wanted) => alsoReads(wanted, of),
  output(params, input) {
    const { positions, rateHz } = channelsOf(params, input);
    const fields = input.fields.map((field, i) =>
      positions.includes(i) ? { name: field.name, length: params.size, rateHz } : field,
    );
    return { fields, spacingMs: undefined };
  },
  create: (params, input, context) => new Frames(params, input, context),
  cost: costOf,
};

function costOf(params: Params, input: Input): Cost {
  const { positions, length, rateHz } = channelsOf(params, input);
  return {
    stateBytes: capacityOf(params, length) * (4 * positions.length + BYTES_PER_TIME),
    warmUpMs: Math.ceil((1_000 * params.size) / rateHz),
    warmUpRows: Math.ceil(params.size / length),
  };
}

interface Channels {
  readonly positions: readonly number[];
  /** Samples of a block. */
  readonly length: number;
  readonly rateHz: number;
}

function channelsOf({ of, rate, every }: Params, input: Input): Channels {
  const positions = of.map((name, i) => vectorPosition(input, name, pathOf(of, i)));
  const channels = positions.map((position) => input.fields[position]!);
  const { length } = channels[0]!;
  checkLengths(channels, length);
  const rateHz = sharedRate(rate, channels);
  if ((1_000 * every) / rateHz < 1)
    throw new OperatorError(["every"], "frames would begin less than 1 ms apart, the finest time a row has");
  return { positions, length, rateHz };
}

// One that knows is enough: their samples come together.
function sharedRate(written: number | undefined, channels: readonly Field[]): number {
  const known = written ?? channels.find(({ rateHz }) => rateHz !== undefined)?.rateHz;
  for (const channel of channels) rateOf(known, channel);
  return rateOf(known, channels[0]!);
}

function checkLengths(channels: readonly Field[], expected: number): void {
  const other = channels.findIndex(({ length }) => length !== expected);
  if (other < 0) return;
  throw new OperatorError(
    ["of", other],
    `expected vectors of one length: "${channels[other]!.name}" has ${channels[other]!.length} samples, "${channels[0]!.name}" ${expected}`,
  );
}

/** Most samples that a frame may do without. */
function bridgeable({ size, minCover }: Params): number {
  // 0.95 of 20 are 19, whatever the product makes of it.
  return size - Math.ceil(size * minCover - 1e-9);
}

function capacityOf(params: Params, length: number): number {
  return params.size + bridgeable(params) + length;
}

class Frames implements StepInstance {
  readonly #params: Params;
  readonly #positions: readonly number[];
  readonly #sampleMs: number;
  readonly #jitterMs: number;
  readonly #bridgeable: number;
  readonly #context: StepContext;
  readonly #buffer: SampleBuffer;
  readonly #blocks: Float32Array[] = [];
  #newestFrameMs = Number.NEGATIVE_INFINITY;

  constructor(params: Params, input: Input, context: StepContext) {
    const { positions, length, rateHz } = channelsOf(params, input);
    this.#params = params;
    this.#positions = positions;
    this.#sampleMs = 1_000 / rateHz;
    this.#jitterMs = jitterOf({ length, rateHz, jitterMs: params.jitter });
    this.#bridgeable = bridgeable(params);
    this.#context = context;
    this.#buffer = new SampleBuffer(positions.length, capacityOf(params, length));
  }

  push(row: PipelineRow): void {
    if (!this.#takeBlocks(row.values)) {
      this.#context.counters.add("frame.missing");
      return;
    }
    if (this.#buffer.size > 0) this.#goOnAt(row.timeMs);
    this.#buffer.append(this.#blocks, row.timeMs, this.#sampleMs);
    while (this.#buffer.size >= this.#params.size) {
      this.#emitFrame(row);
      this.#buffer.drop(this.#params.every);
    }
  }

  advance(watermarkMs: number): number {
    if (this.#buffer.size === 0) return watermarkMs;
    if (watermarkMs >= this.#deadMs()) this.#startAnew();
    return Math.min(watermarkMs, this.#frameMs());
  }

  dueMs(): number {
    return this.#buffer.size === 0 ? Number.POSITIVE_INFINITY : this.#deadMs();
  }

  // A frame that never got all its samples is no frame.
  flush(): void {
    if (this.#buffer.size > 0) this.#context.counters.add("frame.incomplete");
    this.#buffer.clear();
  }

  save(): Saved {
    const saved: SavedFrames = { buffer: this.#buffer.save(), newestFrameMs: this.#newestFrameMs };
    return saved;
  }

  restore(saved: Saved): void {
    const { buffer, newestFrameMs } = saved as SavedFrames; // as `save` made it
    this.#buffer.restore(buffer);
    this.#newestFrameMs = newestFrameMs;
  }

  #takeBlocks(values: readonly Value[]): boolean {
    for (let i = 0; i < this.#positions.length; i++) {
      const block = values[this.#positions[i]!];
      if (!(block instanceof Float32Array)) return false;
      this.#blocks[i] = block;
    }
    return true;
  }

  // The next block begins at `timeMs`: right behind the samples there are, a little or too much later, or earlier.
  #goOnAt(timeMs: number): void {
    const offMs = timeMs - this.#endMs();
    if (Math.abs(offMs) <= this.#jitterMs) return;
    const missing = Math.round(offMs / this.#sampleMs);
    if (missing < 1 || timeMs >= this.#deadMs()) {
      this.#startAnew();
      return;
    }
    this.#context.counters.add("frame.bridged", missing);
    this.#buffer.bridge(missing, this.#blocks, timeMs);
  }

  #startAnew(): void {
    this.#context.counters.add("frame.gap");
    this.#buffer.clear();
  }

  #endMs(): number {
    return this.#buffer.lastMs + this.#sampleMs;
  }

  // The first whole ms at which a block would come too late to go on.
  #deadMs(): number {
    const allowedMs = Math.max(this.#jitterMs, (this.#bridgeable + 0.5) * this.#sampleMs);
    return Math.floor(this.#endMs() + allowedMs) + 1;
  }

  // Jitter must not make a frame as old as the one before it.
  #frameMs(): number {
    return this.#buffer.size === 0
      ? Number.POSITIVE_INFINITY
      : Math.max(Math.round(this.#buffer.firstMs), this.#newestFrameMs + 1);
  }

  #emitFrame(row: PipelineRow): void {
    const { size } = this.#params;
    const measured = this.#buffer.measured(size);
    if (size - measured > this.#bridgeable) {
      this.#context.counters.add("frame.uncovered");
      return;
    }
    const timeMs = this.#frameMs();
    this.#newestFrameMs = timeMs;
    const values = [...row.values];
    this.#positions.forEach((position, channel) => {
      values[position] = this.#buffer.copy(channel, size);
    });
    this.#context.emit({ ...row, timeMs, values, filled: this.#filledOf(row, measured < size) });
  }

  #filledOf({ filled, values }: PipelineRow, isBridged: boolean): readonly boolean[] | undefined {
    if (filled === undefined && !isBridged) return undefined;
    return values.map((_, i) => (filled?.[i] ?? false) || (isBridged && this.#positions.includes(i)));
  }
}

interface SavedFrames {
  readonly buffer: Saved;
  readonly newestFrameMs: number;
}
