// A path into a message: keys of nested objects and indices of arrays.

import { z } from "zod";

const PATH = /^[^.[\]]+(?:\.[^.[\]]+|\[\d{1,4}\])*$/;

/** What is said of text that is no path. */
export const PATH_RULE = 'expected a path into the message such as "DS18B20.Temperature" or "values[0]"';

/** True for "DS18B20.Temperature" and "values[0]". */
export function isPath(text: string): boolean {
  return PATH.test(text);
}

/** A path, as written. */
export const path = z.string({ error: PATH_RULE }).max(256).refine(isPath, { error: PATH_RULE });
