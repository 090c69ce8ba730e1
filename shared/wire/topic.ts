// The one table of topics. Levels: "hw", protocol version, task, then direction. At most six.
// hw/1/<task>/up/<device>/<kind>     device -> server
// hw/1/<task>/down/<device>/<kind>   server -> device
// hw/1/<task>/task                   retained: the signed task
// hw/1/<task>/release                retained: the signed word on which version to serve, and which is in trial
// hw/1/<task>/presence/<device>      retained: "online" | "offline" (the will)

import { type DeviceId, parseDeviceId, parseTaskId, type TaskId } from "../id.js";

/** The protocol's version, a topic level. */
export const PROTOCOL = "1";

export const upKinds = ["hello", "decline", "begin", "chunk", "commit", "get", "report", "want"] as const;
export const downKinds = ["offer", "wait", "missing", "receipt", "block", "refusal", "model"] as const;
/** Message kinds a device sends. */
export type UpKind = (typeof upKinds)[number];
/** Message kinds a device receives. */
export type DownKind = (typeof downKinds)[number];

export const topics = {
  up: (task: TaskId, device: DeviceId, kind: UpKind) => `hw/${PROTOCOL}/${task}/up/${device}/${kind}`,
  down: (task: TaskId, device: DeviceId, kind: DownKind) => `hw/${PROTOCOL}/${task}/down/${device}/${kind}`,
  task: (task: TaskId) => `hw/${PROTOCOL}/${task}/task`,
  release: (task: TaskId) => `hw/${PROTOCOL}/${task}/release`,
  presence: (task: TaskId, device: DeviceId) => `hw/${PROTOCOL}/${task}/presence/${device}`,
} as const;

/** What a device subscribes to. */
export function deviceSubscriptions(task: TaskId, device: DeviceId): readonly string[] {
  return [`hw/${PROTOCOL}/${task}/down/${device}/+`, topics.task(task), topics.release(task)];
}

/** What a server subscribes to on a broker of others. */
export function uplinkSubscriptions(task: TaskId): readonly string[] {
  return [`hw/${PROTOCOL}/${task}/up/+/+`, `hw/${PROTOCOL}/${task}/presence/+`];
}

export type ParsedTopic =
  | { readonly direction: "up"; readonly task: TaskId; readonly device: DeviceId; readonly kind: UpKind }
  | { readonly direction: "down"; readonly task: TaskId; readonly device: DeviceId; readonly kind: DownKind }
  | { readonly direction: "presence"; readonly task: TaskId; readonly device: DeviceId }
  | { readonly direction: "task" | "release"; readonly task: TaskId };

/** The inverse of `topics`; undefined for anything else. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  const [root, version, taskLevel = "", direction, deviceLevel = "", kind, ...rest] = topic.split("/");
  const task = parseTaskId(taskLevel);
  if (root !== "hw" || version !== PROTOCOL || task === undefined || rest.length > 0) return undefined;
  if (direction === "task" || direction === "release") {
    return deviceLevel === "" && topic === topics[direction](task) ? { direction, task } : undefined;
  }
  const device = parseDeviceId(deviceLevel);
  if (device === undefined) return undefined;
  if (direction === "presence") return kind === undefined ? { direction, task, device } : undefined;
  if (direction === "up" && isOneOf(upKinds, kind)) return { direction, task, device, kind };
  if (direction === "down" && isOneOf(downKinds, kind)) return { direction, task, device, kind };
  return undefined;
}

function isOneOf<Kind extends string>(kinds: readonly Kind[], kind: string | undefined): kind is Kind {
  return (kinds as readonly (string | undefined)[]).includes(kind);
}
