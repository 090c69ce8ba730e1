// Shelly Gen2 and later: PREFIX/events/rpc carries NotifyStatus, which tells what has changed since, and
// NotifyFullStatus, which tells everything; PREFIX/status/COMPONENT carries one component.
// https://shelly-api-docs.shelly.cloud/gen2/General/Notifications

import { Lru } from "../../../shared/lru.js";
import type { Stateful } from "../../../shared/pipeline/state.js";
import { isObject, parseJson } from "./objects.js";
import {
  type Decode,
  type Decoded,
  type DecodeFault,
  type DecoderOptions,
  fault,
  type RawMessage,
} from "./port.js";
import { type Held, type Item, Shaper } from "./shape.js";
import { epochMs } from "./time.js";

/** Devices whose last values are kept; of a further one the fields not in its messages are missing at first. */
const DEVICES_MAX = 1_000;
const TOPIC = /^(.+)\/(?:events\/rpc|status\/([^/]+))$/;

/** A decoder for `decode: shelly`: paths such as "switch:0.apower"; {tag.device} is the topic's prefix. */
export function createShellyDecoder(options: DecoderOptions): Decode {
  const shaper = new Shaper(options, { places: "paths" });
  const devices = new Lru<string, Held>(DEVICES_MAX);
  const decode = (message: RawMessage): Decoded => {
    const [, device, component] = TOPIC.exec(message.topic) ?? [];
    if (device === undefined) return fault("not-telemetry");
    const parsed = parseJson(message.payload);
    if (parsed === undefined) return fault("not-json");
    const status =
      component === undefined ? readNotification(parsed.value) : readComponent(component, parsed.value);
    if (typeof status === "string") return fault(status);
    let held = devices.get(device);
    if (held === undefined || status.isFull) {
      held = shaper.hold();
      devices.set(device, held);
    }
    const { body, timeMs } = status;
    const item: Item = { body, timeMs, tags: new Map([["device", device]]), held };
    return shaper.shape(message, [item]);
  };
  return Object.assign(decode, { memory: createMemory(devices) });
}

function createMemory(devices: Lru<string, Held>): Stateful {
  return {
    save: () => [...devices.entries()],
    restore(saved) {
      devices.clear();
      const entries = saved as readonly [string, Held][] | null; // as `save` made it
      for (const [device, held] of entries ?? []) devices.set(device, held);
    },
  };
}

interface Status {
  readonly body: object;
  /** Undefined before the device has learned what time it is. */
  readonly timeMs: number | undefined;
  readonly isFull: boolean;
}

function readNotification(value: unknown): Status | DecodeFault {
  if (!isObject(value)) return "no-object";
  const { method, params }: { method?: unknown; params?: unknown } = value;
  if (method !== "NotifyStatus" && method !== "NotifyFullStatus") return "not-telemetry";
  if (!isObject(params)) return "no-object";
  const { ts }: { ts?: unknown } = params;
  const timeMs = typeof ts === "number" ? (epochMs(ts, "s") ?? Number.NaN) : undefined;
  return { body: params, timeMs, isFull: method === "NotifyFullStatus" };
}

function readComponent(component: string, value: unknown): Status | DecodeFault {
  if (!isObject(value)) return "no-object";
  return { body: { [component]: value }, timeMs: undefined, isFull: false };
}
