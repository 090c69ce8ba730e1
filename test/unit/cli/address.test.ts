import { expect, test } from "vitest";
import { parseAddress } from "../../../cli/address.js";

test.each([
  ["127.0.0.1:1883", "127.0.0.1", 1883],
  ["localhost:0", "localhost", 0],
  ["[::1]:8883", "::1", 8883],
])("%s is a host and a port", (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port });
});

test.each(["1883", ":1883", "localhost", "localhost:65536", "::1:1883", "a b:1"])("%j is refused", (text) => {
  expect(() => parseAddress(text)).toThrow(`expected HOST:PORT such as 127.0.0.1:1883, got "${text}".`);
});
