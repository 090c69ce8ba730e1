// Progress on standard error: a bar on a terminal, plain lines elsewhere, nothing on standard output.

import { Presets, SingleBar } from "cli-progress";
import type { Progress } from "../simulator/simulate.js";

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
      format: "{bar} round {value}/{total}  validation {validation}",
      stream: process.stderr,
      hideCursor: true,
    },
    Presets.shades_classic,
  );

  onProgress(progress: Progress): void {
    if (progress.stage === "loaded") {
      process.stderr.write(`${progress.devices} devices\n`);
      this.#bar.start(progress.rounds, 0, { validation: "-" });
    } else if (progress.stage === "round") {
      this.#bar.update(progress.round, { validation: shown(progress.validation) });
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
      const { round, validation } = progress;
      process.stderr.write(`round ${round}/${this.#rounds}  validation ${shown(validation)}\n`);
    } else {
      process.stderr.write("comparing with local-only and naive\n");
    }
  }

  stop(): void {}
}

function shown(value: number | undefined): string {
  return value === undefined ? "-" : value.toPrecision(5);
}
