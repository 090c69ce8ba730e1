// What can be asked of a device: one line each.

import { healthPart } from "./health.js";
import { inferencePart } from "./inference.js";
import { metricsPart } from "./metrics.js";
import type { HttpPart } from "./port.js";
import { predictionsPart } from "./predictions.js";

export const httpParts: readonly HttpPart[] = [healthPart, metricsPart, inferencePart, predictionsPart];
