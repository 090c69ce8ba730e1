// The closed vocabulary of operators: a new one is a file and a line here.

import { age } from "./age.js";
import { angle, corr, sma } from "./axes.js";
import { bands } from "./bands.js";
import { type BlockOperator, blockFeature, blockStep } from "./block-operator.js";
import { change } from "./change.js";
import { copy } from "./copy.js";
import { count } from "./count.js";
import { cyclic } from "./cyclic.js";
import { decimate } from "./decimate.js";
import { dedupe } from "./dedupe.js";
import { derive } from "./derive.js";
import { detrend } from "./detrend.js";
import { diffFeature, diffStep } from "./diff.js";
import { emaFeature, emaStep } from "./ema.js";
import { envelope } from "./envelope.js";
import { fft } from "./fft.js";
import { filter } from "./filter.js";
import { flag } from "./flag.js";
import { frame } from "./frame.js";
import { hampel } from "./hampel.js";
import { hash } from "./hash.js";
import { lag } from "./lag.js";
import { median } from "./median.js";
import { missing } from "./missing.js";
import { observed } from "./observed.js";
import { onehot } from "./onehot.js";
import type { FeatureOperator, StepOperator } from "./port.js";
import { clip, range } from "./range.js";
import { rateFeature, rateStep } from "./rate.js";
import { rename } from "./rename.js";
import { resample } from "./resample/resample.js";
import { rolling } from "./rolling.js";
import { scale } from "./scale.js";
import { select } from "./select.js";
import { slopeFeature, slopeStep } from "./slope.js";
import { spectrum } from "./spectrum.js";
import { spike } from "./spike.js";
import { stats } from "./stats.js";
import { stuck } from "./stuck.js";
import { taper } from "./taper.js";
import { throttle } from "./throttle.js";
import { window } from "./window/window.js";

/** Numbers from blocks: columns among the features, fields among the steps. */
const blockOperators: readonly BlockOperator[] = [stats, bands, spectrum, fft, corr, sma, angle];

/** Operators on rows, by the name a task calls them. */
export const stepOperators: Readonly<Record<string, StepOperator>> = byName<StepOperator>(
  select,
  rename,
  scale,
  derive,
  range,
  clip,
  change,
  stuck,
  spike,
  hampel,
  median,
  dedupe,
  throttle,
  rateStep,
  diffStep,
  emaStep,
  slopeStep,
  resample,
  window,
  detrend,
  taper,
  filter,
  decimate,
  envelope,
  frame,
  ...blockOperators.map(blockStep),
);

/** Operators that make columns, by the name a task calls them. */
export const featureOperators: Readonly<Record<string, FeatureOperator>> = byName<FeatureOperator>(
  copy,
  lag,
  diffFeature,
  rateFeature,
  emaFeature,
  rolling,
  slopeFeature,
  count,
  onehot,
  hash,
  cyclic,
  flag,
  age,
  missing,
  observed,
  ...blockOperators.map(blockFeature),
);

// Null prototype: a task's "constructor" is no operator.
function byName<Operator extends { readonly name: string }>(
  ...operators: readonly Operator[]
): Record<string, Operator> {
  const registry: Record<string, Operator> = Object.create(null);
  for (const operator of operators) registry[operator.name] = operator;
  return registry;
}
