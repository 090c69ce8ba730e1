// The names in a PromQL expression, read without a parser of the whole language: enough for expressions of our own.

const WORDS =
  /^(?:by|without|and|or|unless|on|ignoring|sum|min|max|topk|rate|increase|histogram_quantile|le|bool)$/;

/** A metric as it stands in an expression. */
export interface MetricUse {
  readonly name: string;
  /** Names of labels that it is chosen by. */
  readonly labels: readonly string[];
  /** It is the range of `rate` or `increase`. */
  readonly isRate: boolean;
}

/** Every metric in an expression, and every label that it is grouped or matched by. */
export function readExpression(expression: string): {
  readonly metrics: readonly MetricUse[];
  readonly groupedBy: readonly string[];
} {
  const groups = [...expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)];
  const bare = expression.replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, "");
  const selectors = bare.matchAll(/(\b(?:rate|increase)\(\s*)?\b([a-z_][a-z0-9_]*)\b(?!\s*\()(\{[^}]*\})?/gi);
  const metrics = [...selectors]
    .filter(([, , name = ""]) => !WORDS.test(name) && /_|^up$/.test(name) && !name.startsWith("__"))
    .map(([, call, name = "", selector = ""]) => ({
      name,
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
      isRate: call !== undefined,
    }));
  return {
    metrics,
    groupedBy: groups.flatMap(([, names = ""]) => names.split(",").map((name) => name.trim())),
  };
}
