// Which devices a reader wants to see.

import type { DeviceView } from "../http/schema.js";

export type DeviceFilter = "all" | "connected" | "away" | "eligible" | "refused" | "quarantined";

/** Every filter with its name in words. */
export const DEVICE_FILTERS: readonly { readonly name: DeviceFilter; readonly label: string }[] = [
  { name: "all", label: "all" },
  { name: "connected", label: "connected" },
  { name: "away", label: "not connected" },
  { name: "eligible", label: "can train now" },
  { name: "refused", label: "had updates refused" },
  { name: "quarantined", label: "left out of rounds" },
];

const tests: Readonly<Record<DeviceFilter, (device: DeviceView) => boolean>> = {
  all: () => true,
  connected: ({ isConnected }) => isConnected,
  away: ({ isConnected }) => !isConnected,
  eligible: ({ isConnected, isEligible }) => isConnected && isEligible,
  refused: ({ rejected }) => Object.keys(rejected).length > 0,
  quarantined: ({ quarantined }) => quarantined !== undefined,
};

export interface DeviceWish {
  /** Part of a name, or of "label=value"; every word must fit. */
  readonly text: string;
  readonly show: DeviceFilter;
  /** Of the version served; empty for any. */
  readonly version: string;
}

export function filterDevices(
  devices: readonly DeviceView[],
  { text, show, version }: DeviceWish,
): readonly DeviceView[] {
  const words = text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  return devices.filter(
    (device) =>
      tests[show](device) &&
      (version === "" || String(device.stable) === version) &&
      words.every((word) => saysOf(device).includes(word)),
  );
}

function saysOf({ device, labels = {} }: DeviceView): string {
  const said = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return [device, ...said].join(" ").toLowerCase();
}

/** The device's state in a word. */
export function stateOf(device: DeviceView): {
  readonly word: string;
  readonly shade: "good" | "warn" | "quiet";
} {
  if (device.seenMs === undefined) return { word: "not heard", shade: "quiet" };
  if (!device.isConnected) return { word: "lost", shade: "warn" };
  if (device.quarantined !== undefined) return { word: "left out", shade: "warn" };
  return device.isEligible ? { word: "ready", shade: "good" } : { word: "connected", shade: "quiet" };
}
