// The live connection: it opens itself anew for as long as the page is there, and catches up on what was missed.

import { useEffect, useState } from "preact/hooks";
import type { Change, Snapshot } from "../http/live.js";
import { after, now } from "./clock.js";
import { applyChange, type LiveState } from "./live-state.js";

/** Whether what is shown is up to date. */
export interface Connection {
  readonly isLive: boolean;
  /** When the server was last heard, by this machine; undefined before the first time. */
  readonly heardMs: number | undefined;
}

/** Longer without a word than several of the server's beats: it is gone. */
const SILENCE_MS = 7_000;
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 10_000;

let state: LiveState | undefined;
let connection: Connection = { isLive: false, heardMs: undefined };
let lastEventId = "";
const listeners = new Set<() => void>();

/** What is known now, and again whenever it changes. */
export function useLive(): { readonly state: LiveState | undefined; readonly connection: Connection } {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((count) => count + 1);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return { state, connection };
}

/** Milliseconds since the Unix epoch by the server's clock, as far as this machine can tell. */
export function serverNow(): number {
  if (state === undefined || connection.heardMs === undefined) return now();
  return state.status.nowMs + (now() - connection.heardMs);
}

/** Connects, and never stops trying. */
export function connect(retryMs = RETRY_FIRST_MS): void {
  const query = lastEventId === "" ? "" : `?since=${encodeURIComponent(lastEventId)}`;
  const source = new EventSource(`/api/events${query}`);
  let hasHeard = false;
  let cancelSilence = after(SILENCE_MS, () => lose());
  const lose = () => {
    cancelSilence();
    source.close();
    update({ isLive: false, heardMs: connection.heardMs });
    const nextMs = hasHeard ? RETRY_FIRST_MS : Math.min(retryMs * 2, RETRY_LAST_MS);
    // Spread, so that not every open page asks a restarted server at once.
    after(nextMs * (0.75 + (now() % 100) / 200), () => connect(nextMs));
  };
  const hear = (event: MessageEvent<string>, next: LiveState) => {
    hasHeard = true;
    lastEventId = event.lastEventId;
    state = next;
    cancelSilence();
    cancelSilence = after(SILENCE_MS, () => lose());
    update({ isLive: true, heardMs: now() });
  };
  source.onerror = lose;
  source.addEventListener("snapshot", (event) => hear(event, JSON.parse(event.data) as Snapshot));
  source.addEventListener("change", (event) => {
    if (state !== undefined) hear(event, applyChange(state, JSON.parse(event.data) as Change));
  });
}

function update(next: Connection): void {
  connection = next;
  for (const listener of listeners) listener();
}
