// Dealing examples to devices. Every reading goes to exactly one device; same seed, same hands.

import { assert, unreachable } from "../shared/assert.js";
import type { Random } from "../shared/random.js";

/** Deals `count` items at random, hands of nearly equal size (McMahan et al. 2017: IID). */
export function dealEvenly(count: number, devices: number, random: Random): number[][] {
  const order = random.shuffle(Array.from({ length: count }, (_, index) => index));
  return cut(order, devices);
}

/**
 * Sorts by label, cuts into `perDevice` shards a device, and deals the shards at random
 * (McMahan et al. 2017, sec. 3: 2 shards of 300 digits).
 */
export function dealShards(
  labels: readonly number[],
  devices: number,
  { perDevice, random }: { readonly perDevice: number; readonly random: Random },
): number[][] {
  const sorted = labels.map((_, index) => index).sort((a, b) => compare(labels[a]!, labels[b]!) || a - b);
  const shards = random.shuffle(cut(sorted, devices * perDevice));
  return Array.from({ length: devices }, (_, device) =>
    shards.slice(device * perDevice, (device + 1) * perDevice).flat(),
  );
}

/**
 * Splits each class over the devices in proportions drawn from Dirichlet(alpha): small alpha, skewed labels
 * (Hsu, Qi and Brown 2019; the per-class form of Yurochkin et al. 2019).
 */
export function dealDirichlet(
  labels: readonly number[],
  devices: number,
  { alpha, random }: { readonly alpha: number; readonly random: Random },
): number[][] {
  const hands: number[][] = Array.from({ length: devices }, () => []);
  for (const ordered of classesOf(labels)) {
    const members = random.shuffle(ordered);
    const shares = drawShares(devices, alpha, random);
    const total = shares.reduce((sum, share) => sum + share, 0);
    let cumulated = 0;
    let from = 0;
    shares.forEach((share, device) => {
      cumulated += share;
      const to = device === devices - 1 ? members.length : Math.round((cumulated / total) * members.length);
      for (const member of members.slice(from, to)) hands[device]!.push(member);
      from = to;
    });
  }
  return hands;
}

/** Deals whole groups (files, entities) round robin, in their order. */
export function dealGroups<Group>(groups: readonly Group[], devices: number): Group[][] {
  assert(devices > 0, "groups are dealt to at least one device");
  const hands: Group[][] = Array.from({ length: devices }, () => []);
  groups.forEach((group, index) => {
    hands[index % devices]!.push(group);
  });
  return hands;
}

/** How single examples are dealt. */
export type Dealing =
  | { readonly kind: "iid" }
  | { readonly kind: "dirichlet"; readonly alpha: number }
  | { readonly kind: "shards"; readonly perDevice: number };

/** Deals examples by their labels: the indices each device gets. */
export function deal(
  labels: readonly number[],
  devices: number,
  { dealing, random }: { readonly dealing: Dealing; readonly random: Random },
): number[][] {
  switch (dealing.kind) {
    case "iid":
      return dealEvenly(labels.length, devices, random);
    case "dirichlet":
      return dealDirichlet(labels, devices, { alpha: dealing.alpha, random });
    case "shards":
      return dealShards(labels, devices, { perDevice: dealing.perDevice, random });
    default:
      return unreachable(dealing);
  }
}

// Pieces whose sizes differ by at most one.
function cut<Item>(items: readonly Item[], pieces: number): Item[][] {
  return Array.from({ length: pieces }, (_, piece) =>
    items.slice(
      Math.floor((piece * items.length) / pieces),
      Math.floor(((piece + 1) * items.length) / pieces),
    ),
  );
}

// Indices by label, classes in ascending order.
function classesOf(labels: readonly number[]): readonly number[][] {
  const classes = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const members = classes.get(label);
    if (members === undefined) classes.set(label, [index]);
    else members.push(index);
  });
  return [...classes].sort(([a], [b]) => compare(a, b)).map(([, members]) => members);
}

// Examples whose label is missing (NaN) are a class of their own, the last.
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}

// Gamma variates up to a common factor: for a small alpha all of them would be too small for a double.
function drawShares(devices: number, alpha: number, random: Random): readonly number[] {
  const logs = Array.from({ length: devices }, () => drawLogGamma(alpha, random));
  const largest = logs.reduce((most, log) => Math.max(most, log));
  return logs.map((log) => Math.exp(log - largest));
}

// The logarithm of a variate. Marsaglia and Tsang 2000; for shapes below 1 boosted by U^(1/shape).
function drawLogGamma(shape: number, random: Random): number {
  if (shape < 1) return drawLogGamma(shape + 1, random) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      return Math.log(d * v);
    }
  }
}
