// Which fields a join reads, and which its rows have.

import type { JoinRight, JoinSpec } from "../../task/join-spec.js";
import { numberPosition, positionOf } from "../operators/fields.js";
import { type Field, type Input, OperatorError } from "../operators/port.js";

/** What a join needs of its left side for an output that has `wanted`. */
export function leftReads({ rights }: JoinSpec, wanted: readonly string[]): readonly string[] {
  const taken = new Set(rights.flatMap((right) => addedNames(right)));
  return wanted.filter((name) => !taken.has(name));
}

/** What a join needs of one right side. */
export function rightReads(right: JoinRight): readonly string[] {
  if (right.kind === "interval") return Object.keys(right.get);
  const valid = right.valid === undefined ? [] : [right.valid.field];
  return [...new Set([...Object.values(right.take), ...valid])];
}

/** The fields that one right side adds to a row, in order. */
export function addedFields(right: JoinRight, side: Input): readonly Field[] {
  if (right.kind === "interval") {
    for (const field of Object.keys(right.get))
      numberPosition(side, field, ["interval", right.from, "get", field]);
    return addedNames(right).map((name) => ({ name, length: 1 }));
  }
  const path = ["asof", right.from];
  if (right.valid !== undefined) numberPosition(side, right.valid.field, [...path, "valid"]);
  return Object.entries(right.take).map(([name, field]) => {
    return { ...side.fields[positionOf(side, field, [...path, "take", field])]!, name };
  });
}

function addedNames(right: JoinRight): readonly string[] {
  if (right.kind === "asof") return Object.keys(right.take);
  return Object.entries(right.get).flatMap(([field, statistics]) =>
    statistics.map((statistic) => `${field}.${statistic}`),
  );
}

/** The fields of joined rows: the left side's, then each right side's. `sides` are left, then rights. */
export function joinedInput(spec: JoinSpec, sides: readonly Input[]): Input {
  const [left] = sides;
  const fields: Field[] = [...left!.fields];
  spec.rights.forEach((right, i) => {
    for (const field of addedFields(right, sides[i + 1]!)) {
      if (fields.some(({ name }) => name === field.name)) throw nameTaken(right, field.name);
      fields.push(field);
    }
  });
  return { fields, spacingMs: left!.spacingMs };
}

function nameTaken({ kind, from }: JoinRight, name: string): OperatorError {
  const hint =
    kind === "asof" ? `: take it under another name, such as {take: {${from}_${name}: ${name}}}` : "";
  return new OperatorError([kind, from], `a field "${name}" is there already${hint}`);
}
