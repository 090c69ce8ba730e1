// A server that enrols a whole fleet makes a key pair for each device and writes it out. Node's own generator hung there.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const KEYS = 5_000;
const module = (path: string) => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));

const program = `
const { generateKeys, rawPublicKey } = await import(${JSON.stringify(module("shared/wire/signature.js"))});
const { rawHalf } = await import(${JSON.stringify(module("server/host/enrolled.js"))});
const seen = new Set();
for (let at = 0; at < ${KEYS}; at++) {
  const { publicKey, privateKey } = generateKeys();
  rawHalf(privateKey, "d");
  seen.add(Buffer.from(rawPublicKey(publicKey)).toString("hex"));
}
console.log(seen.size);
`;

test("thousands of key pairs are made and written out, however often garbage is collected meanwhile", async () => {
  // So little memory for what is young that it is collected some hundred times.
  const args = ["--max-semi-space-size=1", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  expect(stdout.trim()).toBe(String(KEYS));
});
