import { expect, test } from "vitest";
import { isFilter, isTopic, matcherOf } from "../../../../shared/transport/topic-filter.js";

// The examples of MQTT 3.1.1, sections 4.7.1.2, 4.7.1.3 and 4.7.2.
test.each([
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/#", "sport", true],
  ["#", "sport/tennis", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["#", "$SYS/monitor/Clients", false],
  ["+/monitor/Clients", "$SYS/monitor/Clients", false],
  ["$SYS/#", "$SYS/monitor/Clients", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["a/b", "a/b", true],
  ["a/b", "a/B", false],
  ["a/b", "a/b/c", false],
  ["a/b/c", "a/b", false],
])("%s and %s match: %s", (filter, topic, expected) => {
  expect(matcherOf(filter)(topic)).toBe(expected);
});

test("wildcards stand alone in their level, # only in the last", () => {
  for (const filter of ["#", "+", "a/+/b", "a/#", "/", "+/+/#"]) expect(isFilter(filter), filter).toBe(true);
  for (const filter of ["", "a#", "a/#/b", "a+", "+a/b", "a/b\0"])
    expect(isFilter(filter), filter).toBe(false);
});

test("a topic to publish to has no wildcards and is not empty", () => {
  for (const topic of ["a", "a/b", "/"]) expect(isTopic(topic), topic).toBe(true);
  for (const topic of ["", "a/+", "#", "a\0"]) expect(isTopic(topic), topic).toBe(false);
});
