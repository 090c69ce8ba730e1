// Topic filters of MQTT 3.1.1, section 4.7.

/** Tells whether a topic matches. */
export type TopicMatcher = (topic: string) => boolean;

/** Matches topics with `filter`, which may hold the wildcards + and #. */
export function matcherOf(filter: string): TopicMatcher {
  const wildcardAt = filter.search(/[+#]/);
  if (wildcardAt < 0) return (topic) => topic === filter;
  const beginning = filter.slice(0, Math.max(0, wildcardAt - 1));
  const wanted = filter.split("/");
  // Most filters fail at their beginning: a broker asks all of them about every message.
  return (topic) => topic.startsWith(beginning) && matchesLevels(wanted, topic);
}

function matchesLevels(wanted: readonly string[], topic: string): boolean {
  const levels = topic.split("/");
  // 4.7.2-1: a filter that starts with a wildcard does not match topics that start with "$".
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) return false;
  for (const [i, want] of wanted.entries()) {
    // 4.7.1-2: "#" stands for any number of levels, the parent included.
    if (want === "#") return true;
    if (i >= levels.length || (want !== "+" && want !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** True when `filter` is one: "#" only as the last level, wildcards alone in their level (4.7.1). */
export function isFilter(filter: string): boolean {
  if (filter === "") return false;
  const levels = filter.split("/");
  return levels.every((level, i) => {
    if (level === "#") return i === levels.length - 1;
    return level === "+" || !/[+#\0]/.test(level);
  });
}

/** True when a message may be published to `topic`: not empty, no wildcards (4.7.1-1, 4.7.3-1). */
export function isTopic(topic: string): boolean {
  return topic !== "" && !/[+#\0]/.test(topic);
}
