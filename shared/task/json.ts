// JSON values, told apart.

import type { JsonObject, JsonValue } from "./task.js";

/** True for a JSON object: not for null, not for an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
