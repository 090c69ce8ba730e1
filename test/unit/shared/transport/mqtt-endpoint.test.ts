import { describe, expect, test } from "vitest";
import { parseEndpoint } from "../../../../shared/transport/mqtt-endpoint.js";

describe("a broker's address", () => {
  test.each([
    ["mqtt://broker", { protocol: "mqtt", host: "broker", port: 1883, path: "/" }],
    ["mqtts://broker.example", { protocol: "mqtts", host: "broker.example", port: 8883, path: "/" }],
    ["mqtt://[::1]:1884", { protocol: "mqtt", host: "::1", port: 1884, path: "/" }],
    ["ws://[::1]:8083/mqtt", { protocol: "ws", host: "[::1]", port: 8083, path: "/mqtt" }],
    ["wss://broker", { protocol: "wss", host: "broker", port: 443, path: "/" }],
  ])("%s is understood", (url, address) => {
    expect(parseEndpoint({ url })).toEqual(address);
  });

  test.each(["broker:1883", "http://broker", "mqtt://", "mqtt://broker:99999", ""])(
    "%j is refused, naming it",
    (url) => {
      expect(() => parseEndpoint({ url })).toThrow(
        expect.objectContaining({
          code: "config-invalid",
          message: expect.stringContaining(JSON.stringify(url)),
        }),
      );
    },
  );

  test("secrets in the URL are refused without being repeated: it is logged", () => {
    expect(() => parseEndpoint({ url: "mqtt://me:secret@broker" })).toThrow(
      expect.objectContaining({ code: "config-invalid", message: expect.not.stringContaining("secret") }),
    );
  });

  test("certificates that are none are refused before anything connects", () => {
    expect(() => parseEndpoint({ url: "mqtts://broker", ca: "nonsense" })).toThrow(
      expect.objectContaining({ code: "config-invalid", message: expect.stringContaining("PEM") }),
    );
  });
});
