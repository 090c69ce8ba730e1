// Progress on standard error: a bar on a terminal, plain lines elsewhere, nothing on standard output.

import { Presets, SingleBar } from "cli-progress";
import type { Progress } from "../simulator/progress.js";

/** Shows how a simulation goes. */
export interface ProgressView {
  onProgress(progress: Progress): void;
  /** Ends the view, whatever happened. */
  stop(): void;
}

/** A view on standard error. `metric` names the validation metric. */
export function createProgressView(): ProgressView {
  return process.stderr.isTTY ? new BarView() : new LineView();
}

class BarView implements ProgressView {
  readonly #bar = new SingleBar(
    {
      format: "{bar} round {value}/{total}  {validation}",
      stream: process.stderr,
      hideCursor: true,
    },
    Presets.shades_classic,
  );

  onProgress(progress: Progress): void {
    if (progress.stage === "loaded") {
      process.stderr.write(`${progress.devices} devices\n`);
      this.#bar.start(progress.rounds, 0, { validation: "validation -" });
    } else if (progress.stage === "round") {
      // Candidates have rounds of their own.
      const round = progress.arm === undefined ? progress.round : 0;
      // A fleet that learns anew has more rounds than it began with.
      this.#bar.setTotal(Math.max(round, this.#bar.getTotal()));
      this.#bar.update(round, { validation: describe(progress) });
    } else {
      this.#bar.stop();
      process.stderr.write("comparing with local-only and naive\n");
    }
  }

  stop(): void {
    this.#bar.stop();
  }
}

class LineView implements ProgressView {
  #rounds = 0;

  onProgress(progress: Progress): void {
    if (progress.stage === "loaded") {
      this.#rounds = progress.rounds;
      process.stderr.write(`${progress.devices} devices, ${progress.rounds} rounds\n`);
    } else if (progress.stage === "round") {
      const { round, arm } = progress;
      process.stderr.write(`${placeOf(round, arm, this.#rounds)}  ${describe(progress)}\n`);
    } else {
      process.stderr.write("comparing with local-only and naive\n");
    }
  }

  stop(): void {}
}

function placeOf(round: number, arm: string | undefined, rounds: number): string {
  if (arm !== undefined) return `comparing candidates, round ${round}`;
  return round > rounds ? `round ${round}, learning anew` : `round ${round}/${rounds}`;
}

function describe({ validation, abandoned, arm }: Extract<Progress, { stage: "round" }>): string {
  if (arm !== undefined) return arm;
  const value = `validation ${validation === undefined ? "-" : validation.toPrecision(5)}`;
  return abandoned > 0 ? `${value}  (${abandoned} abandoned)` : value;
}
