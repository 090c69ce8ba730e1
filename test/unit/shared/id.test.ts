import { describe, expect, test } from "vitest";
import { parseDeviceId } from "../../../shared/id.js";

describe("an id", () => {
  test.each(["pump-1", "a", "Station_7", "0", "x".repeat(64)])("%s is one topic level", (text) => {
    expect(parseDeviceId(text)).toBe(text);
  });

  test.each(["", "a/b", "a+", "#", "a.b", "a b", "*", ">", "-a", "$SYS", "é", "x".repeat(65)])(
    "%j is refused: brokers would read it otherwise",
    (text) => {
      expect(parseDeviceId(text)).toBeUndefined();
    },
  );
});
