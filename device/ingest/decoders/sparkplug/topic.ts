// spBv1.0/GROUP/TYPE/NODE[/DEVICE] (Sparkplug 3.0.0, 4.1).

const TYPES = ["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"] as const;

/** A message from an edge node, or from a device behind it. */
export interface SparkplugTopic {
  readonly group: string;
  readonly type: (typeof TYPES)[number];
  readonly node: string;
  readonly device: string | undefined;
}

/** Undefined for commands, the state of hosts, and what is no Sparkplug topic. */
export function parseTopic(topic: string): SparkplugTopic | undefined {
  const [namespace, group, word, node, device, ...more] = topic.split("/");
  const type = TYPES.find((each) => each === word);
  if (namespace !== "spBv1.0" || !group || type === undefined || !node || more.length > 0) return undefined;
  const isOfDevice = type.startsWith("D");
  return isOfDevice === (device !== undefined) ? { group, type, node, device } : undefined;
}
