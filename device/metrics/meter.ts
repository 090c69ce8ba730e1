// What a device's metrics need that nobody else keeps: how often and how long. Put between the device and its engines
// only when it may be asked.

import type { Clock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { Histogram } from "../../shared/metrics/histogram.js";
import type { Model, ModelRuntime } from "../../shared/model/runtime.js";
import type { DeviceFact } from "../fact.js";
import type { Job, JobResult, Trainer } from "../train/trainer.js";

/** Counts facts and measures jobs. */
export class DeviceMeter {
  readonly rounds = new Counters();
  readonly updates = new Counters();
  readonly drifts = new Counters();
  readonly jobs: Readonly<Record<Job["kind"], Histogram>> = {
    train: new Histogram(),
    evaluate: new Histogram(),
  };
  readonly answers = new Histogram();
  predictions = 0;
  versionsRejected = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  observe(fact: DeviceFact): void {
    if (fact.type === "prediction") this.predictions++;
    else if (fact.type === "update-stored") this.rounds.add("update");
    else if (fact.type === "declined" || fact.type === "abandoned") this.rounds.add(fact.type);
    else if (fact.type === "receipt") this.updates.add(fact.status);
    else if (fact.type === "update-dropped") this.updates.add("dropped");
    else if (fact.type === "model-rejected") this.versionsRejected++;
    else if (fact.type === "drift" && fact.kind !== null) this.drifts.add(fact.kind);
  }

  /** The same runtime, its models' answers timed. */
  timedRuntime(runtime: ModelRuntime): ModelRuntime {
    const timed = new WeakMap<Model, Model>();
    return {
      engine: runtime.engine,
      model: async (definition) => {
        const model = await runtime.model(definition);
        const known = timed.get(model) ?? this.#timedModel(model);
        timed.set(model, known);
        return known;
      },
      liveTensors: () => runtime.liveTensors(),
      dispose: () => runtime.dispose(),
    };
  }

  #timedModel(model: Model): Model {
    const predict: Model["predict"] = (x, rows, out) => {
      const startMs = this.#clock.elapsed();
      const outputs = model.predict(x, rows, out);
      this.answers.observe((this.#clock.elapsed() - startMs) / 1000);
      return outputs;
    };
    // Everything else is the model's own, with its own `this`.
    return new Proxy(model, {
      get(target, name) {
        if (name === "predict") return predict;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** The same trainer, its finished jobs timed. */
  timed(trainer: Trainer): Trainer {
    return {
      engine: trainer.engine,
      run: async <J extends Job>(job: J, signal?: AbortSignal): Promise<JobResult<J>> => {
        const startMs = this.#clock.elapsed();
        const result = await trainer.run(job, signal);
        this.jobs[job.kind].observe((this.#clock.elapsed() - startMs) / 1000);
        return result;
      },
      close: () => trainer.close(),
    };
  }
}
