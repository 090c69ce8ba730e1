// A server with its dashboard on a real port, whose devices are moved by hand.

import { type HttpServer, startHttp } from "../../server/http/http.js";
import type { DriftView } from "../../server/http/schema.js";
import type { ApiSources } from "../../server/http/views.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import { silentLogger } from "../../shared/log.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { freePort } from "./free-port.js";
import { ServerLab } from "./server-lab.js";

export interface DashboardLabOptions {
  readonly runtime: ModelRuntime;
  /** Devices enrolled and never heard. */
  readonly silent?: number;
  readonly drift?: DriftView;
}

/** Pieces of a page's world. */
export class DashboardLab {
  readonly lab: ServerLab;
  readonly #options: DashboardLabOptions;
  readonly #port: number;
  #http: HttpServer | undefined;

  private constructor(options: DashboardLabOptions, port: number) {
    this.#options = options;
    this.#port = port;
    const { runtime } = options;
    this.lab = new ServerLab({
      runtime,
      yaml: "rounds: { minDevices: 2, quorum: 50%, overSelect: 0%, max: 50 }\nevaluate: { every: 1 }",
    });
  }

  static async start(options: DashboardLabOptions): Promise<DashboardLab> {
    const started = new DashboardLab(options, await freePort());
    await started.lab.start();
    await started.serve();
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Answers HTTP, again after `close`. */
  async serve(): Promise<void> {
    this.#http = await startHttp({
      ...{ host: "127.0.0.1", port: this.#port, sources: this.#sources(), logger: silentLogger },
    });
  }

  async close(): Promise<void> {
    await this.#http?.close();
    this.#http = undefined;
  }

  #sources(): ApiSources {
    const { lab } = this;
    const { silent = 0, drift } = this.#options;
    const enrolled = Array.from({ length: silent }, (_, at) => ({
      device: `pump-${String(at).padStart(4, "0")}` as DeviceId,
      enrolledMs: 5,
    }));
    return {
      ...{ task: lab.task.task, source: lab.task, version: "1.2.3", server: lab.server },
      ...{ clock: systemClock, startedMs: systemClock.now(), brokerCounters: new Counters() },
      enrolled: { list: () => enrolled },
      broker: () => ({ kind: "external", urls: ["mqtt://127.0.0.1"], isConnected: true }),
      notReady: () => undefined,
      ...(drift === undefined ? {} : { drift: { summary: () => undefined, view: () => drift } }),
      actions: { token: undefined, isLoopback: true, operations: lab.server },
    };
  }
}
