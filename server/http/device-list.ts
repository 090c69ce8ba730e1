// Devices as the API lists them: enrolled, heard, or both. A look at ten thousand of them describes anew only those that have
// changed since the last one.

import type { DeviceView as HeardDevice } from "../fleet/registry.js";
import type { EnrolledDevice } from "../host/enrolled.js";
import type { ServerStatus } from "../status.js";
import { optional } from "./optional.js";
import type { DevicesQuery, DevicesView, DeviceView } from "./schema.js";

/** Where devices are known from. */
export interface DeviceSources {
  readonly enrolled: { list(): readonly EnrolledDevice[] };
  readonly server: { status(): Pick<ServerStatus, "devices" | "quarantined"> };
}

/** A page of them. */
export function describeDevices(
  sources: DeviceSources,
  { limit, after = "", connected }: DevicesQuery,
): DevicesView {
  const wanted = listDevices(sources, sources.server.status()).filter(
    ({ device, isConnected }) => device > after && (connected === undefined || isConnected === connected),
  );
  const devices = wanted.slice(0, limit);
  const last = devices.at(-1);
  return { devices, ...(wanted.length > limit && last !== undefined ? { next: last.device } : {}) };
}

/** All of them, by id. What has not changed is the same object as the last time. */
export function listDevices(
  { enrolled }: Pick<DeviceSources, "enrolled">,
  status: Pick<ServerStatus, "devices" | "quarantined">,
): readonly DeviceView[] {
  const all: DeviceView[] = [];
  const [heard, known] = [status.devices, enrolled.list()];
  // Both are in the order of their ids, which are ASCII.
  for (let h = 0, k = 0; h < heard.length || k < known.length; ) {
    const [one, other] = [heard[h], known[k]];
    const isHeard = one !== undefined && (other === undefined || one.device <= other.device);
    const isKnown = other !== undefined && (one === undefined || other.device <= one.device);
    const view = describe(isHeard ? one : undefined, isKnown ? other : undefined);
    const quarantined = status.quarantined[(isHeard ? one : other)!.device];
    all.push(quarantined === undefined ? view : { ...view, quarantined });
    h += Number(isHeard);
    k += Number(isKnown);
  }
  return all;
}

interface Described {
  readonly heard: HeardDevice | undefined;
  readonly enrolled: EnrolledDevice | undefined;
  readonly view: DeviceView;
}

// By what it was made of: who describes it from the same things again says the same.
const described = new WeakMap<HeardDevice | EnrolledDevice, Described>();

function describe(heard: HeardDevice | undefined, enrolled: EnrolledDevice | undefined): DeviceView {
  const key = heard ?? enrolled!;
  const before = described.get(key);
  if (before?.heard === heard && before?.enrolled === enrolled) return before!.view;
  const view = describeDevice(heard, enrolled);
  described.set(key, { heard, enrolled, view });
  return view;
}

function describeDevice(heard: HeardDevice | undefined, enrolled: EnrolledDevice | undefined): DeviceView {
  return {
    device: (heard ?? enrolled)!.device,
    isEnrolled: enrolled !== undefined,
    // One known from before the start is only expected to be there until it is heard.
    isConnected: heard?.seenMs !== undefined && heard.isConnected,
    isEligible: heard?.eligible ?? false,
    examples: heard?.examples ?? { train: 0, validation: 0 },
    rejected: { ...heard?.rejected },
    labels: { ...heard?.labels },
    ...optional({
      enrolledMs: enrolled?.enrolledMs,
      seenMs: heard?.seenMs,
      bytesUp: heard?.bytesUp,
      bytesDown: heard?.bytesDown,
      stable: heard?.stable,
      reason: heard?.reason,
    }),
  };
}
