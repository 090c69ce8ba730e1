// What a simulation tells whoever watches it.

/** Where a simulation is. */
export type Progress =
  | { readonly stage: "loaded"; readonly devices: number; readonly rounds: number }
  /** A train round has closed; `validation` is the newest score of the devices. */
  | {
      readonly stage: "round";
      /** Completed so far, and abandoned. */
      readonly round: number;
      readonly abandoned: number;
      readonly validation: number | undefined;
      /** The candidate it trained, while they are compared: `round` then counts the rounds of all. */
      readonly arm: string | undefined;
    }
  | { readonly stage: "comparing" };
