// A rule with everything at its default but what a test says.

import type { Rule, RulePublish } from "../../device/rules/rule.js";

export function ruleOf(
  changes: Partial<Omit<Rule, "publish">> & { readonly publish?: Partial<RulePublish> } = {},
): Rule {
  const atOnce = { kind: "rows", rows: 1 } as const;
  return {
    ...{ name: "hot", of: "temp", above: 80, below: undefined, hysteresis: 0 },
    ...{ raiseAfter: atOnce, clearAfter: atOnce, staleMs: undefined, entities: undefined },
    ...changes,
    publish: {
      endpoint: { url: "mqtt://127.0.0.1:1" },
      topic: "alarms/{device}/{rule}/{entity}",
      ...{ retain: false, payload: "json", perMinute: 6000 },
      ...changes.publish,
    },
  };
}
