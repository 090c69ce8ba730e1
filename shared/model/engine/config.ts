// Reads a layer's options one by one. Whatever is not understood is refused by name: never a guess.

import { isJsonObject } from "../../task/json.js";
import type { JsonObject, JsonValue } from "../../task/task.js";

/** Why the fused engine does not run a model. The message names the option. */
export class Unsupported extends Error {}

/** L1 and L2 factors of one param; 0 is none. */
export interface Regularizer {
  readonly l1: number;
  readonly l2: number;
}

/** Matters to initial params or to nobody. */
const IGNORED = ["name", "dtype", "trainable", "batch_input_shape", "input_shape", "batch_size"];

/** The options of one layer. Call `finish` when all have been read. */
export class Config {
  readonly #values: JsonObject;
  readonly #read = new Set<string>(IGNORED);

  constructor(values: JsonObject) {
    this.#values = values;
  }

  /** The raw value; undefined when absent or null. */
  value(key: string): Exclude<JsonValue, null> | undefined {
    this.#read.add(key);
    return this.#values[key] ?? undefined;
  }

  /** Options that do not change the arithmetic, such as initializers. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#read.add(key);
  }

  /** Options that must be absent, null, false or 0. */
  refuse(...keys: readonly string[]): void {
    for (const key of keys) {
      const value = this.value(key);
      if (value !== undefined && value !== false && value !== 0) throw this.#bad(key);
    }
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "boolean") throw this.#bad(key);
    return value;
  }

  number(key: string, fallback: number, isValid: (value: number) => boolean): number {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "number" || !isValid(value)) throw this.#bad(key);
    return value;
  }

  /** A whole number of at least 1. */
  count(key: string, fallback = Number.NaN): number {
    return this.number(key, fallback, (value) => Number.isInteger(value) && value >= 1);
  }

  /** One of `allowed`; the fallback when absent. Null is a choice of its own to tfjs, and refused. */
  choice<const T extends string>(key: string, allowed: readonly T[], fallback: T): T {
    const value = this.#values[key] === null ? null : (this.value(key) ?? fallback);
    const found = allowed.find((item) => item === value);
    if (found === undefined) throw this.#bad(key);
    return found;
  }

  text(key: string, fallback: string): string {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "string") throw this.#bad(key);
    return value;
  }

  /** A list of `length` whole numbers of at least 1, or one number for all. */
  counts(key: string, length: number, fallback?: number | readonly number[]): number[] {
    const value = this.value(key) ?? fallback;
    const list = typeof value === "number" ? Array.from({ length }, () => value) : value;
    const isValid =
      Array.isArray(list) &&
      list.length === length &&
      list.every((item) => Number.isInteger(item) && item >= 1);
    if (!isValid) throw this.#bad(key);
    return list as number[];
  }

  regularizer(key: string): Regularizer {
    const value = this.value(key);
    if (value === undefined) return { l1: 0, l2: 0 };
    if (!isJsonObject(value) || !isJsonObject(value.config ?? {})) throw this.#bad(key);
    const { class_name: kind } = value;
    if (kind !== "L1L2" && kind !== "L1" && kind !== "L2") throw this.#bad(key);
    const inner = new Config(isJsonObject(value.config) ? value.config : {});
    const isFactor = (factor: number) => factor >= 0 && Number.isFinite(factor);
    // The defaults of tfjs, regularizers.js.
    const l1 = inner.number("l1", kind === "L2" ? 0 : 0.01, isFactor);
    const l2 = inner.number("l2", kind === "L1" ? 0 : 0.01, isFactor);
    inner.finish();
    return { l1, l2 };
  }

  /** Another layer as a value: of wrappers. */
  layer(key: string): { readonly className: string; readonly config: JsonObject } {
    const value = this.value(key);
    const className = isJsonObject(value) ? value.class_name : undefined;
    const config = isJsonObject(value) ? value.config : undefined;
    if (typeof className !== "string" || !isJsonObject(config)) throw this.#bad(key);
    return { className, config };
  }

  /** Throws Unsupported for the first option that nobody has read. */
  finish(): void {
    const unread = Object.keys(this.#values).find((key) => !this.#read.has(key));
    if (unread !== undefined) throw this.#bad(unread);
  }

  #bad(key: string): Unsupported {
    return new Unsupported(`option ${key} ${JSON.stringify(this.#values[key] ?? null)}`);
  }
}
