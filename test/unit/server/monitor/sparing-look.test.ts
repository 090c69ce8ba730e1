import { describe, expect, test } from "vitest";
import { SparingLook } from "../../../../server/monitor/sparing-look.js";

/** A look that takes so long, and how often it was taken. */
function looking(tookMs: number) {
  let nowMs = 0;
  let looks = 0;
  const sparing = new SparingLook({ elapsed: () => nowMs }, () => {
    nowMs += tookMs;
    return ++looks;
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { sparing, pass };
}

describe("a look at the fleet", () => {
  test("that takes no time is taken whenever somebody asks", () => {
    const { sparing } = looking(0);
    expect([sparing.see(), sparing.see(), sparing.see()]).toEqual([1, 2, 3]);
  });

  test("costs a hundredth of the time at most, while it is short", () => {
    const { sparing, pass } = looking(2);
    expect(sparing.see()).toBe(1);
    pass(197);
    expect(sparing.see()).toBe(1);
    pass(1);
    expect(sparing.see()).toBe(2);
  });

  test("is never older than a second", () => {
    const { sparing, pass } = looking(500);
    expect(sparing.see()).toBe(1);
    pass(999);
    expect(sparing.see()).toBe(1);
    pass(1);
    expect(sparing.see()).toBe(2);
  });

  test("is taken at once when what is looked at is another", () => {
    const { sparing } = looking(500);
    const [one, other] = [{}, {}];
    expect([sparing.see(one), sparing.see(one), sparing.see(other), sparing.see(other)]).toEqual([
      1, 1, 2, 2,
    ]);
  });
});
