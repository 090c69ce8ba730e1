// An example in a help text is one that its command takes.

import { Command } from "commander";
import { expect, test } from "vitest";
import { helpExamples } from "../../../cli/help-examples.js";

async function load(name: string): Promise<Command> {
  const program = new Command();
  const file: { register(program: Command): void } = await import(`../../../cli/${name}.ts`);
  file.register(program);
  return program.commands[0]!;
}

function optionsOf(command: Command): readonly (string | undefined)[] {
  return [...command.options.map(({ long }) => long), ...command.commands.flatMap(optionsOf)];
}

test.each(Object.entries(helpExamples))("%s has the options its examples name", async (name, examples) => {
  const command = await load(name);
  expect(command.name()).toBe(name);
  for (const example of examples) {
    expect(example.split(" ").slice(0, 2)).toEqual(["headwater", name]);
    const named = example.split(" ").filter((word) => word.startsWith("--"));
    expect(optionsOf(command)).toEqual(expect.arrayContaining(named));
  }
});
