import { describe, expect, test } from "vitest";
import { decodeLine, splitTopic, topicFor } from "../../../../device/offline/line-format.js";

const split = (line: string) => {
  const parsed = splitTopic(Buffer.from(line));
  return parsed && [parsed.topic, Buffer.from(parsed.payload).toString()];
};

describe("a line with its topic", () => {
  test("is taken apart at its first space, as mosquitto_sub -v prints it", () => {
    expect(split('tele/plug/SENSOR {"a": 1}')).toEqual(["tele/plug/SENSOR", '{"a": 1}']);
  });

  test("is taken apart at a tab where there is one, so that a topic may hold spaces", () => {
    expect(split('zigbee2mqtt/Living Room\t{"a": 1}')).toEqual(["zigbee2mqtt/Living Room", '{"a": 1}']);
  });

  test("is none without either", () => {
    expect(split("tele/plug/SENSOR")).toBeUndefined();
  });
});

describe("a payload", () => {
  const bytes = Uint8Array.of(0, 10, 255);

  test("is the line itself, or bytes in base64 or hex", () => {
    expect(decodeLine(bytes, "text")).toEqual(bytes);
    expect(Uint8Array.from(decodeLine(Buffer.from("AAr/"), "base64") ?? [])).toEqual(bytes);
    expect(Uint8Array.from(decodeLine(Buffer.from("000aFF "), "hex") ?? [])).toEqual(bytes);
  });

  test("that is not written so is none", () => {
    expect(decodeLine(Buffer.from("{}"), "base64")).toBeUndefined();
    expect(decodeLine(Buffer.from("abc"), "hex")).toBeUndefined();
    expect(decodeLine(Buffer.from("zz"), "hex")).toBeUndefined();
  });
});

test("the topic of a file fits the filter, with the file's name for what the filter leaves open", () => {
  expect(topicFor("air/+/hourly", "data/Dongsi.jsonl.gz")).toBe("air/Dongsi/hourly");
  expect(topicFor("zigbee2mqtt/#", "-")).toBe("zigbee2mqtt/stdin");
  expect(topicFor("plant/meter", "a.csv")).toBe("plant/meter");
  expect(topicFor(undefined, "a+b.csv")).toBe("a_b");
});
