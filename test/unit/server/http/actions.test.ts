// Who may change something over HTTP, asked of the real application.

import { expect, test } from "vitest";
import { refuseAction, type ServerActions } from "../../../../server/http/actions.js";

const operations = {
  promote: async () => ({ ok: true }) as const,
  rollBack: async () => ({ ok: true }) as const,
  nameVersion: async () => ({ ok: true }) as const,
  dropName: async () => ({ ok: true }) as const,
};
const local: ServerActions = { operations, token: undefined, isLoopback: true };
const guarded: ServerActions = { operations, token: "sixteen-letters-or-so", isLoopback: false };
const fair = {
  "content-type": "application/json",
  host: "127.0.0.1:8080",
  origin: "http://127.0.0.1:8080",
  "sec-fetch-site": "same-origin",
} as const;

test("this page on this machine may", () => {
  expect(refuseAction(local, fair)).toBeUndefined();
  expect(
    refuseAction(local, { ...fair, host: "localhost:8080", origin: "http://localhost:8080" }),
  ).toBeUndefined();
  expect(refuseAction(local, { "content-type": "application/json", host: "[::1]:8080" })).toBeUndefined();
});

test.each([
  ["a page of another origin", { ...fair, origin: "http://evil.example" }, 403],
  ["a page that hides its origin", { ...fair, origin: "null" }, 403],
  ["another site that sends no origin", { ...fair, origin: undefined, "sec-fetch-site": "cross-site" }, 403],
  [
    "a name that was made to point here",
    { ...fair, host: "evil.example", origin: "http://evil.example" },
    403,
  ],
  ["a form", { ...fair, "content-type": "application/x-www-form-urlencoded" }, 415],
  ["plain text, which needs no leave to be sent", { ...fair, "content-type": "text/plain" }, 415],
])("%s may not", (_, headers, code) => {
  expect(refuseAction(local, headers)).toMatchObject({ code });
});

test("where a token is set nothing is done without it, from this machine either", () => {
  const bearer = (authorization?: string) => refuseAction(guarded, { ...fair, authorization });
  expect(bearer()).toMatchObject({ code: 401 });
  expect(bearer("Bearer sixteen-letters-or-s")).toMatchObject({ code: 401 });
  expect(bearer("Bearer sixteen-letters-or-so")).toBeUndefined();
});

test("a server open to other machines does nothing without a token, and says how to set one", () => {
  const open = { ...local, isLoopback: false };
  expect(refuseAction(open, fair)).toMatchObject({
    code: 503,
    message: expect.stringContaining("--http-token"),
  });
});
