// Questions to the server beside the live connection.

import { useEffect, useState } from "preact/hooks";

/** What became of a question. */
export type Answer<Value> =
  | { readonly kind: "waiting" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "known"; readonly value: Value };

/** Asks for `url` again whenever `version` changes; what was known stays until the new answer is there. */
export function useAnswer<Value>(url: string, version: string | number = ""): Answer<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>({ kind: "waiting" });
  useEffect(() => {
    const end = new AbortController();
    ask<Value>(url, { signal: end.signal }).then(
      (value) => setAnswer({ kind: "known", value }),
      (error: unknown) => end.signal.aborted || setAnswer({ kind: "failed", reason: String(error) }),
    );
    return () => end.abort();
  }, [url, version]);
  return answer;
}

const TOKEN = "headwater-token";

/** The token given before in this tab. */
export function knownToken(): string {
  return sessionStorage.getItem(TOKEN) ?? "";
}

/** Has the server do something; rejects with its reason when it will not. */
export async function act(url: string, token: string): Promise<void> {
  const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
  await ask(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization },
    body: "{}",
  });
  if (token !== "") sessionStorage.setItem(TOKEN, token);
}

async function ask<Value>(url: string, init: RequestInit): Promise<Value> {
  const response = await fetch(url, init);
  const body = (await response.json()) as Value & { readonly message?: string };
  if (!response.ok) throw new Error(body.message ?? `status ${response.status}`);
  return body;
}
