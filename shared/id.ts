// Branded identifiers: parsed once at the edge, trusted inside.

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Names a device: also its MQTT client id and one topic level. */
export type DeviceId = Branded<string, "DeviceId">;
/** Names a task: also one topic level. */
export type TaskId = Branded<string, "TaskId">;
/** Names one upload of one device, for ever. */
export type UpdateId = Branded<string, "UpdateId">;

// One topic level that every broker we know accepts: no "/", "+", "#", ".", " ", "*", ">".
const LEVEL = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** True when `text` can stand as one topic level: 1-64 of A-Z a-z 0-9 _ -, starting with a letter or digit. */
export function isLevel(text: string): boolean {
  return LEVEL.test(text);
}

/** The device id, or undefined when `text` cannot be one. */
export function parseDeviceId(text: string): DeviceId | undefined {
  return isLevel(text) ? (text as DeviceId) : undefined;
}

/** The task id, or undefined when `text` cannot be one. */
export function parseTaskId(text: string): TaskId | undefined {
  return isLevel(text) ? (text as TaskId) : undefined;
}

/** The update id, or undefined when `text` cannot be one. */
export function parseUpdateId(text: string): UpdateId | undefined {
  return isLevel(text) ? (text as UpdateId) : undefined;
}
