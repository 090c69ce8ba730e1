import fc from "fast-check";
import { expect, test } from "vitest";
import { Lru } from "../../../shared/lru.js";

test("holds the entries used last, and never more than its limit", () => {
  const call = fc.record({ kind: fc.constantFrom("get", "set", "delete"), key: fc.nat(6) });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (calls, limit) => {
      const lru = new Lru<number, string>(limit);
      let model: number[] = [];
      for (const { kind, key } of calls) {
        const isThere = model.includes(key);
        if (kind === "get") expect(lru.get(key)).toBe(isThere ? `v${key}` : undefined);
        if (kind === "set") lru.set(key, `v${key}`);
        if (kind === "delete") lru.delete(key);
        if (kind !== "get" || isThere) model = model.filter((each) => each !== key);
        if (kind === "set" || (kind === "get" && isThere)) model.push(key);
        model = model.slice(-limit);
        expect(lru.size).toBe(model.length);
      }
      const copy = new Lru<number, string>(limit);
      for (const [key, value] of lru.entries()) copy.set(key, value);
      expect([...copy.entries()]).toEqual(model.map((key) => [key, `v${key}`]));
      for (const key of model) expect(lru.get(key)).toBe(`v${key}`);
      lru.clear();
      expect([lru.size, lru.get(0)]).toEqual([0, undefined]);
    }),
  );
});
