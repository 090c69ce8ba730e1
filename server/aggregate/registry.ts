// Every aggregation rule by its name. A new one is one file, one line here, and obeys the laws of test/property.

import type { AggregateSpec } from "../../shared/task/task.js";
import { mean } from "./mean.js";
import type { Aggregator } from "./port.js";

/** Rules a task may name. */
export const aggregators = { mean } satisfies Readonly<Record<AggregateSpec["rule"], Aggregator<unknown>>>;
