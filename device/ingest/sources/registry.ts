// All kinds of sources by name.

import type { SourceBinding } from "./binding.js";
import { fileKind } from "./file.js";
import { hostKind } from "./host/host.js";
import { mqttKind } from "./mqtt.js";
import type { BoundSource, Source, SourceContext, SourceKind } from "./port.js";
import { stdinKind } from "./stdin.js";

type Kinds = {
  readonly [Kind in SourceBinding["kind"]]: SourceKind<Extract<SourceBinding, { readonly kind: Kind }>>;
};

/** How sources of each kind are opened. */
export const sourceKinds: Kinds = {
  mqtt: mqttKind,
  http: {
    doc: "Messages that others POST: one, a JSON array, or lines as application/x-ndjson.",
    example: `sources:
  meter: { http: { port: 8081, path: /ingest/meter } }
  door: { http: { host: 0.0.0.0, port: 8082, path: /ingest/door, token: at-least-16-characters } }
`,
    keyOf: ({ binding: { host, port } }) => `${host} ${port}`,
    // With it comes an HTTP server, which most devices have no use for.
    open: async (sources, context) => (await import("./http.js")).openHttp(sources, context),
  },
  file: fileKind,
  stdin: stdinKind,
  host: hostKind,
};

/** Sources that share a connection or a socket, not opened yet. */
export interface SourceGroup {
  /** The same for the same connection or socket, whatever the task. */
  readonly key: string;
  readonly sources: readonly BoundSource[];
  open(context: SourceContext): Promise<Source>;
}

/** The task's sources in groups that share what they can. */
export function groupSources(sources: readonly BoundSource[]): readonly SourceGroup[] {
  return Object.keys(sourceKinds).flatMap((kind) => (isKind(kind) ? groupKind(kind, sources) : []));
}

function groupKind<Kind extends SourceBinding["kind"]>(
  kind: Kind,
  sources: readonly BoundSource[],
): readonly SourceGroup[] {
  const { keyOf, open } = sourceKinds[kind];
  const groups = new Map<string, BoundSource<Extract<SourceBinding, { readonly kind: Kind }>>[]>();
  for (const source of sources) {
    if (!isOfKind(source, kind)) continue;
    const key = keyOf(source);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [source]);
    else group.push(source);
  }
  return [...groups].map(([key, group]) => ({
    key: `${kind} ${key}`,
    sources: group,
    open: (context) => open(group, context),
  }));
}

function isKind(text: string): text is SourceBinding["kind"] {
  return Object.hasOwn(sourceKinds, text);
}

function isOfKind<Kind extends SourceBinding["kind"]>(
  source: BoundSource,
  kind: Kind,
): source is BoundSource<Extract<SourceBinding, { readonly kind: Kind }>> {
  return source.binding.kind === kind;
}
