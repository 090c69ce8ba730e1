// rename: fields under other names.

import { z } from "zod";
import type { PipelineRow } from "../types.js";
import { fieldName, positionOf } from "./fields.js";
import type { StepContext } from "./port.js";
import { type Field, FREE, type Input, OperatorError, RowStep, type StepOperator } from "./port.js";

const params = z
  .record(fieldName, fieldName)
  .refine((names) => Object.keys(names).length >= 1, { error: "expected at least one name" })
  .refine((names) => new Set(Object.values(names)).size === Object.keys(names).length, {
    error: "expected each field once",
  });

type Params = z.output<typeof params>;

/** New name -> field. All others keep theirs. */
export const rename: StepOperator<Params> = {
  name: "rename",
  doc: "Fields under other names, new name first: {temp: temperature, hum: humidity}.",
  example: { params: { temp: "temperature" } },
  params,
  reads: (names, wanted) => [
    ...new Set([
      ...wanted.map((name) => (Object.hasOwn(names, name) ? names[name]! : name)),
      ...Object.values(names),
    ]),
  ],
  output: (names, input) => ({ ...input, fields: renamed(names, input) }),
  create: (_names, _input, context) => new Pass(context),
  cost: () => FREE,
};

function renamed(names: Params, input: Input): readonly Field[] {
  const fields = [...input.fields];
  for (const [name, old] of Object.entries(names)) {
    const position = positionOf(input, old, [name]);
    fields[position] = { ...fields[position]!, name };
  }
  const taken = fields.find(({ name }, i) => fields.findIndex((field) => field.name === name) !== i);
  if (taken !== undefined) throw new OperatorError([taken.name], `a field "${taken.name}" is there already`);
  return fields;
}

/** A row's values stay where they are. */
class Pass extends RowStep {
  readonly #context: StepContext;

  constructor(context: StepContext) {
    super();
    this.#context = context;
  }

  push(row: PipelineRow): void {
    this.#context.emit(row);
  }
}
