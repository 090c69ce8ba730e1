// A choice by chance.

import { assert } from "../shared/assert.js";
import type { Random } from "../shared/random.js";

/** One of `items`, by chance. */
export function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[random.integer(items.length)];
  assert(item !== undefined, "there is something to pick from");
  return item;
}
