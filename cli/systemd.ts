// Tells systemd how the process is doing (sd_notify(3)), where systemd started it.

import { execFile } from "node:child_process";

const STATES = { ready: ["--ready"], stopping: ["STOPPING=1"] } as const;

/** Tells it. Without systemd, or without its helper, nothing happens. */
export function notifySystemd(state: keyof typeof STATES): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  // Node has no Unix datagram sockets. NotifyAccess=all lets the helper speak for us.
  execFile("systemd-notify", [`--pid=${process.pid}`, ...STATES[state]], () => undefined);
}
