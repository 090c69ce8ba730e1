// The engines of one test file: made before its tests, gone after them.

import { afterAll, beforeAll } from "vitest";
import { createInlineTrainer } from "../../device/train/inline.js";
import { assert } from "../../shared/assert.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import type { Engines } from "./device-kit.js";

/** The cpu engine, for predictions and, apart from it, for training. Call at the top of a test file. */
export function testEngines(): Engines {
  let engines: Engines | undefined;
  beforeAll(async () => {
    const runtime = await createTfjsRuntime("tfjs-cpu");
    engines = { runtime, trainer: createInlineTrainer(await createTfjsRuntime("tfjs-cpu")) };
  });
  afterAll(async () => {
    await engines?.trainer.close();
    engines?.runtime.dispose();
  });
  const made = (): Engines => {
    assert(engines !== undefined, "engines are there once the tests run");
    return engines;
  };
  return {
    get runtime() {
      return made().runtime;
    },
    get trainer() {
      return made().trainer;
    },
  };
}
