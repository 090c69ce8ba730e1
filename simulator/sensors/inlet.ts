// A pump's inlet: it takes a certain pressure for the liquid not to boil in the impeller, more of it the more the pump moves
// (net positive suction head required; ISO 17769-1). Operators throttle as close to that as they dare, and go wrong either way.

import type { Random } from "../../shared/random.js";
import type { DriftKind } from "./drift.js";
import { createWander } from "./wander.js";

/** An hour's memory, and a quarter of a bar to either side of what is required. */
const MARGIN = { step: 0.0455, pull: 1 / 60 };
/** Of the gauge, in bar. */
const NOISE_BAR = 0.02;
/** Share of times that the ear is wrong. */
const MISHEARD = 0.04;
/** Other impellers need so much more, and nobody has told the operators. */
const IMPELLER_BAR = 0.3;
/** A gauge that was mounted again, further down the pipe, says so much more than there is. */
const GAUGE_BAR = 0.3;

/** What the inlet says, and what can be heard. */
export interface Inlet {
  readonly suction: number;
  readonly cavitation: 0 | 1;
}

/** An inlet that is asked once a minute, with the load and what has changed by then. */
export function createInlet(random: Random): (load: number, change: DriftKind | undefined) => Inlet {
  const margin = createWander(random, MARGIN);
  return (load, change) => {
    const usual = 0.25 + 0.6 * load;
    const suction = usual + margin();
    const required = usual + (change === "concept" || change === "both" ? IMPELLER_BAR : 0);
    const said = suction + (change === "data" || change === "both" ? GAUGE_BAR : 0);
    const isMisheard = random.uniform() < MISHEARD;
    return {
      suction: said + NOISE_BAR * random.normal(),
      cavitation: suction < required !== isMisheard ? 1 : 0,
    };
  };
}
