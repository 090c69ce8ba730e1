// What makes numbers of blocks: as a feature they become columns, as a step fields that later operators go on with.

import type { z } from "zod";
import type { PipelineRow, Value } from "../types.js";
import { alsoReads } from "./fields.js";
import {
  type FeatureOperator,
  type FeatureState,
  type Field,
  FREE,
  type Input,
  OperatorError,
  type OperatorExample,
  RowComputer,
  RowStep,
  type StepContext,
  type StepOperator,
} from "./port.js";
import { vectorPosition } from "./vectors.js";

/** Vectors that are read together, and the numbers made of them. */
export interface BlockGroup {
  readonly of: readonly string[];
  /** Where they are written in the parameters, one path for each. */
  readonly paths: readonly (readonly (string | number)[])[];
  readonly names: readonly string[];
}

/** Writes the numbers of a group of `row` from `out[offset]` on. Remembers nothing of one row for the next. */
export type BlockKernel = (
  blocks: readonly Float32Array[],
  out: Float32Array,
  offset: number,
  row: PipelineRow,
) => void;

/** Numbers from the blocks of one row, group by group; where a block is missing, its groups' numbers are. */
export interface BlockOperator<Params = unknown> {
  readonly name: string;
  /** One sentence for people, shown in the JSON Schema and the docs. */
  readonly doc: string;
  readonly example: OperatorExample;
  readonly params: z.ZodType<Params>;
  groups(params: Params): readonly BlockGroup[];
  /** The kernel of a group whose vectors are `fields`. Throws `OperatorError` when parameters and fields do not fit. */
  compile(params: Params, fields: readonly Field[]): BlockKernel;
}

/** The operator in a list of features. */
export function blockFeature<Params>(operator: BlockOperator<Params>): FeatureOperator<Params> {
  const { name, doc, example, params } = operator;
  return {
    ...{ name, doc, example, params },
    reads: (params) => readBy(operator.groups(params)),
    columns(params, input) {
      compileGroups(operator, params, input);
      return namesOf(operator.groups(params));
    },
    create: (params, input) => new BlockComputer(compileGroups(operator, params, input)),
    cost: () => FREE,
  };
}

/** The operator in a chain of steps: every field passes, the numbers follow as fields of their own. */
export function blockStep<Params>(operator: BlockOperator<Params>): StepOperator<Params> {
  const { name, doc, example, params } = operator;
  return {
    ...{ name, doc, example, params },
    reads(params, wanted) {
      const groups = operator.groups(params);
      const made = new Set(namesOf(groups));
      return alsoReads(
        wanted.filter((name) => !made.has(name)),
        readBy(groups),
      );
    },
    output(params, input) {
      compileGroups(operator, params, input);
      const names = namesOf(operator.groups(params));
      const double = names.find(
        (name, i) => names.indexOf(name) < i || input.fields.some((field) => field.name === name),
      );
      if (double !== undefined) throw new OperatorError([], `field "${double}" is made twice`);
      return { ...input, fields: [...input.fields, ...names.map((name) => ({ name, length: 1 }))] };
    },
    create: (params, input, context) => new BlockStep(compileGroups(operator, params, input), context),
    cost: () => FREE,
  };
}

function readBy(groups: readonly BlockGroup[]): readonly string[] {
  return [...new Set(groups.flatMap(({ of }) => of))];
}

function namesOf(groups: readonly BlockGroup[]): readonly string[] {
  return groups.flatMap(({ names }) => names);
}

/** A group in its place. */
interface CompiledGroup {
  readonly positions: readonly number[];
  readonly width: number;
  readonly kernel: BlockKernel;
  /** Where the kernel finds the row's blocks: written for every row. */
  readonly blocks: Float32Array[];
}

function compileGroups<Params>(
  operator: BlockOperator<Params>,
  params: Params,
  input: Input,
): readonly CompiledGroup[] {
  return operator.groups(params).map(({ of, paths, names }) => {
    const positions = of.map((name, i) => vectorPosition(input, name, paths[i]!));
    const kernel = operator.compile(
      params,
      positions.map((position) => input.fields[position]!),
    );
    return { positions, width: names.length, kernel, blocks: [] };
  });
}

/** Writes the group's numbers, NaN where a block is missing; false when one is. */
function computeGroup(
  { positions, width, kernel, blocks }: CompiledGroup,
  row: PipelineRow,
  out: Float32Array,
  offset: number,
): boolean {
  for (let i = 0; i < positions.length; i++) {
    const block = row.values[positions[i]!];
    if (!(block instanceof Float32Array)) {
      out.fill(Number.NaN, offset, offset + width);
      return false;
    }
    blocks[i] = block;
  }
  kernel(blocks, out, offset, row);
  return true;
}

class BlockComputer extends RowComputer {
  readonly #groups: readonly CompiledGroup[];

  constructor(groups: readonly CompiledGroup[]) {
    super();
    this.#groups = groups;
  }

  push(row: PipelineRow, out: Float32Array, offset: number): FeatureState {
    let at = offset;
    let state: FeatureState = "complete";
    for (const group of this.#groups) {
      if (!computeGroup(group, row, out, at)) state = "missing";
      at += group.width;
    }
    return state;
  }
}

class BlockStep extends RowStep {
  readonly #groups: readonly CompiledGroup[];
  readonly #numbers: Float32Array;
  readonly #context: StepContext;

  constructor(groups: readonly CompiledGroup[], context: StepContext) {
    super();
    this.#groups = groups;
    this.#numbers = new Float32Array(groups.reduce((sum, { width }) => sum + width, 0));
    this.#context = context;
  }

  push(row: PipelineRow): void {
    const values: Value[] = [...row.values];
    let offset = 0;
    for (const group of this.#groups) {
      const isThere = computeGroup(group, row, this.#numbers, offset);
      for (const end = offset + group.width; offset < end; offset++)
        values.push(isThere ? this.#numbers[offset]! : null);
    }
    this.#context.emit({ ...row, values, filled: this.#filledOf(row) });
  }

  // A number made of a block that was filled in was not measured either.
  #filledOf({ filled }: PipelineRow): readonly boolean[] | undefined {
    if (filled === undefined) return undefined;
    const made = this.#groups.flatMap(({ positions, width }) =>
      new Array<boolean>(width).fill(positions.some((position) => filled[position] === true)),
    );
    return [...filled, ...made];
  }
}
