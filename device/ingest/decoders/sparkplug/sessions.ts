// What births have told: which alias stands for which metric, of which type, and what was last said of each field.
// A session of an edge node lasts from its birth to its death; its devices live within it (Sparkplug 3.0.0, 5.4-5.9).

import { Lru } from "../../../../shared/lru.js";
import type { Saved, Stateful } from "../../../../shared/pipeline/state.js";
import type { DecodeFault } from "../port.js";
import type { Held } from "../shape.js";
import { type Metric, readValue, type SparkplugPayload } from "./payload.js";
import type { SparkplugTopic } from "./topic.js";

/** Edge nodes, and devices behind them, that are remembered; the ones unheard of for longest are forgotten. */
const NODES_MAX = 1_000;
const DEVICES_MAX = 4_000;
/** Metrics remembered of one birth: only those that the task reads, so in truth far fewer. */
const KNOWN_MAX = 4_096;

/** A metric that a birth has named. */
interface Known {
  readonly name: string;
  readonly type: number | undefined;
}

/** What is known of an edge node or a device since its birth. */
export interface Born {
  /** By alias, and by name. */
  readonly metrics: ReadonlyMap<number | string, Known>;
  readonly held: Held;
}

interface Node {
  seq: number | undefined;
  readonly bdSeq: number | undefined;
  /** Tells this session's devices from those of an earlier one. */
  readonly session: number;
  readonly born: Born | undefined;
  /** False before a birth and after a gap in `seq`: aliases may mean something else by now. */
  isCertain: boolean;
}

/** What a message's metrics are read with. */
export interface Heard {
  readonly born: Born | undefined;
  readonly faults: readonly DecodeFault[];
  /** Births are to be asked for. */
  readonly needsBirth: boolean;
}

/** What a device says within a session. */
interface Device {
  readonly session: number;
  readonly born: Born;
}

/** The sessions of all edge nodes of one source. */
export class Sessions implements Stateful {
  readonly #isRead: (name: string) => boolean;
  readonly #hold: () => Held;
  readonly #nodes = new Lru<string, Node>(NODES_MAX);
  readonly #devices = new Lru<string, Device>(DEVICES_MAX);
  #sessions = 0;

  constructor(isRead: (name: string) => boolean, hold: () => Held) {
    this.#isRead = isRead;
    this.#hold = hold;
  }

  hear(topic: SparkplugTopic, payload: SparkplugPayload): Heard {
    const key = `${topic.group}/${topic.node}`;
    switch (topic.type) {
      case "NBIRTH":
        return this.#nodeBirth(key, payload);
      case "NDEATH":
        return this.#nodeDeath(key, payload);
      case "DBIRTH":
        return this.#deviceBirth(key, `${key}/${topic.device}`, payload);
      case "DDEATH": {
        const { faults, needsBirth } = this.#follow(key, payload);
        this.#devices.delete(`${key}/${topic.device}`);
        return { born: undefined, faults, needsBirth };
      }
      case "NDATA": {
        const { node, faults, needsBirth } = this.#follow(key, payload);
        return { born: node.isCertain ? node.born : undefined, faults, needsBirth };
      }
      case "DDATA":
        return this.#deviceData(key, `${key}/${topic.device}`, payload);
    }
  }

  save(): Saved {
    return {
      count: this.#sessions,
      nodes: Array.from(this.#nodes.entries(), ([key, node]) => [key, { ...node, born: listed(node.born) }]),
      devices: Array.from(this.#devices.entries(), ([key, { session, born }]) => [
        key,
        { session, born: listed(born) },
      ]),
    };
  }

  /** Takes up what `save` gave, at any time; null: nothing has been heard. */
  restore(saved: Saved): void {
    const { count, nodes, devices } = (saved ?? NOTHING) as SavedSessions; // as `save` made it
    this.#sessions = count;
    this.#nodes.clear();
    for (const [key, node] of nodes)
      this.#nodes.set(key, { ...node, born: node.born && unlisted(node.born) });
    this.#devices.clear();
    for (const [key, { session, born }] of devices) this.#devices.set(key, { session, born: unlisted(born) });
  }

  #nodeBirth(key: string, payload: SparkplugPayload): Heard {
    const born = this.#bornOf(payload);
    this.#nodes.set(key, {
      ...{ seq: payload.seq, bdSeq: bdSeqOf(payload), born, isCertain: true },
      session: ++this.#sessions,
    });
    return { born, faults: [], needsBirth: false };
  }

  // A will may come after the next birth: it names the session that it ends.
  #nodeDeath(key: string, payload: SparkplugPayload): Heard {
    const isOfNow = this.#nodes.get(key)?.bdSeq === bdSeqOf(payload);
    if (isOfNow) this.#nodes.delete(key);
    return { born: undefined, faults: isOfNow ? [] : ["stale-death"], needsBirth: false };
  }

  #deviceBirth(key: string, deviceKey: string, payload: SparkplugPayload): Heard {
    const { node, faults, needsBirth } = this.#follow(key, payload);
    const born = this.#bornOf(payload);
    if (node.isCertain) this.#devices.set(deviceKey, { session: node.session, born });
    return { born, faults, needsBirth };
  }

  #deviceData(key: string, deviceKey: string, payload: SparkplugPayload): Heard {
    const { node, faults, needsBirth } = this.#follow(key, payload);
    const device = this.#devices.get(deviceKey);
    const isBorn = device !== undefined && device.session === node.session && node.isCertain;
    return { born: isBorn ? device.born : undefined, faults, needsBirth: needsBirth || !isBorn };
  }

  /** The node's session, one message on. */
  #follow(key: string, { seq }: SparkplugPayload) {
    const node = this.#nodes.get(key) ?? this.#unborn(key);
    const isNext = seq === undefined || node.seq === undefined || seq === (node.seq + 1) % 256;
    node.seq = seq;
    const hasGap = node.isCertain && !isNext;
    if (hasGap) node.isCertain = false;
    const faults: readonly DecodeFault[] = hasGap ? ["seq-gap"] : [];
    return { node, faults, needsBirth: !node.isCertain };
  }

  #unborn(key: string): Node {
    const node: Node = {
      ...{ seq: undefined, bdSeq: undefined, born: undefined, isCertain: false },
      session: ++this.#sessions,
    };
    this.#nodes.set(key, node);
    return node;
  }

  #bornOf({ metrics }: SparkplugPayload): Born {
    const known = new Map<number | string, Known>();
    for (const { name, alias, type } of metrics) {
      if (name === undefined || !this.#isRead(name) || known.size >= KNOWN_MAX) continue;
      known.set(name, { name, type });
      if (alias !== undefined) known.set(alias, { name, type });
    }
    return { metrics: known, held: this.#hold() };
  }
}

interface SavedSessions {
  readonly count: number;
  readonly nodes: readonly (readonly [string, SavedNode])[];
  readonly devices: readonly (readonly [string, SavedDevice])[];
}

const NOTHING: SavedSessions = { count: 0, nodes: [], devices: [] };

type SavedNode = Omit<Node, "born"> & { readonly born: SavedBorn | undefined };
type SavedDevice = Omit<Device, "born"> & { readonly born: SavedBorn };

/** Saved maps would have text for keys. */
interface SavedBorn {
  readonly metrics: readonly (readonly [number | string, Known])[];
  readonly held: Held;
}

function listed(born: Born | undefined): SavedBorn | undefined {
  return born && { metrics: [...born.metrics], held: born.held };
}

function unlisted({ metrics, held }: SavedBorn): Born {
  return { metrics: new Map(metrics), held };
}

function bdSeqOf({ metrics }: SparkplugPayload): number | undefined {
  const metric = metrics.find(({ name }) => name === "bdSeq");
  const value = metric && readValue(metric, metric.type);
  return typeof value === "number" ? value : undefined;
}

/** The name and type of a metric, by itself or by its birth; undefined when only a lost birth told. */
export function identify(
  { name, alias, type }: Metric,
  born: Born | undefined,
): Known | "unread" | undefined {
  if (name !== undefined) return { name, type: type ?? born?.metrics.get(name)?.type };
  if (alias === undefined || born === undefined) return undefined;
  const known = born.metrics.get(alias);
  return known === undefined ? "unread" : { name: known.name, type: type ?? known.type };
}
