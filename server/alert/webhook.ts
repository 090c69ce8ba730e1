// Alerts to an HTTP address: a chat program's incoming webhook, or one's own.

import { HeadwaterError, messageOf } from "../../shared/error.js";
import { formatAlert, type RaisedAlert } from "./alert.js";
import type { AlertWay, Sent } from "./delivery.js";

/** Throws `config-invalid` for what is no address of HTTP. */
export function createWebhook(url: string): AlertWay {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new HeadwaterError("config-invalid", "the alert webhook is no URL of the form https://HOST/PATH");
  }
  // The path of a chat program's webhook is its secret.
  return {
    name: "webhook",
    place: parsed.origin,
    send: (alert, signal) => post(parsed, alert, signal),
    close: async () => undefined,
  };
}

async function post(url: URL, alert: RaisedAlert, signal: AbortSignal): Promise<Sent> {
  const response = await request(url, alert, signal);
  // Nobody reads what it says, and the connection is free again.
  await response.body?.cancel();
  if (response.ok) return { ok: true };
  const refusal = `it answered ${response.status}`;
  if (isPassing(response.status)) throw new HeadwaterError("transport-closed", refusal);
  return { ok: false, refusal };
}

async function request(url: URL, alert: RaisedAlert, signal: AbortSignal): Promise<Response> {
  const headers = { "content-type": "application/json; charset=utf-8" };
  try {
    // An alert is for the address that was given, not for where that points to.
    return await fetch(url, {
      method: "POST",
      headers,
      body: formatAlert(alert),
      signal,
      redirect: "manual",
    });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    // fetch hides why it failed in the cause.
    const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new HeadwaterError("transport-closed", messageOf(inner), { cause });
  }
}

/** RFC 9110, 15.5.9 and 15.6; RFC 6585, 4: the same request may do well later. */
function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}
