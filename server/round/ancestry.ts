// Which version was made from which, as far as it still matters: what is taken back takes along everything made from it.

import { aliveArms } from "../select/state.js";
import { type Line, type RoundsState, versionsInService } from "./state.js";

/** Versions taken back that are remembered: each has head leave its line, so more than a few never wait. */
const TAKEN_BACK_MAX = 32;

/** A version is there, made from version `from`; 0: from none. */
export function noteMade(state: RoundsState, version: number, from: number): RoundsState {
  const made = { ...state, lastVersion: version, lines: extended(state.lines, version, from) };
  const takenBack = made.takenBack.filter((mark) =>
    tips(made).some((tip) => nearestOf(made.lines, tip, [mark]) !== 0),
  );
  const floor = Math.min(...[...versionsInService(made), ...takenBack].filter((each) => each > 0));
  return { ...made, takenBack, lines: pruned(made.lines, tips(made), floor) };
}

/** A version is taken back: nothing made from it is scored or waits for a trial any more. */
export function takeBack(state: RoundsState, version: number): RoundsState {
  const others = state.takenBack.filter((mark) => mark !== version);
  const marked = { ...state, takenBack: [...others, version].slice(-TAKEN_BACK_MAX) };
  const { candidate, queued, rescore } = marked;
  const isOut = (each: number) => isTakenBack(marked, each);
  return {
    ...marked,
    candidate: isOut(candidate) ? 0 : candidate,
    queued: queued !== null && isOut(queued.version) ? null : queued,
    rescore: rescore !== null && isOut(rescore.candidate) ? { candidate: 0 } : rescore,
  };
}

/**
 * True of a version that was taken back, and of what was made from one. Not of what was made from stable: whoever has a version
 * served after all trusts it.
 */
export function isTakenBack({ lines, takenBack, stable }: RoundsState, version: number): boolean {
  if (takenBack.length === 0 || version === 0) return false;
  const nearest = nearestOf(lines, version, [...takenBack, stable]);
  // Of what is not known, the worse.
  return nearest === undefined || takenBack.includes(nearest);
}

/** Versions that others may yet be made from, or that may yet be served. */
function tips(state: RoundsState): number[] {
  const { head, root, candidate, rescore, open, making, selection } = state;
  const arms = selection?.winner === null ? aliveArms(selection) : [];
  return [
    ...[head, root, candidate, rescore?.candidate ?? 0, open?.baseVersion ?? 0],
    making?.what === "revert" ? making.from : 0,
    ...versionsInService(state),
    ...arms.map((arm) => arm.head),
  ].filter((version) => version > 0);
}

function extended(lines: readonly Line[], version: number, from: number): readonly Line[] {
  const newest = lines.at(-1);
  if (newest !== undefined && newest.last === from && version === from + 1)
    return [...lines.slice(0, -1), { ...newest, last: version }];
  return [...lines, { from, first: version, last: version }];
}

/** Only lines that lead from `from` down to `floor`. */
function pruned(lines: readonly Line[], from: readonly number[], floor: number): readonly Line[] {
  const wanted = new Set<Line>();
  for (const tip of from) {
    for (let version = tip; version >= floor; ) {
      const line = lineOf(lines, version);
      if (line === undefined || wanted.has(line)) break;
      wanted.add(line);
      version = line.from;
    }
  }
  return lines.filter((line) => wanted.has(line));
}

/**
 * The nearest of `marks` among the version itself and all it was made from; 0: none. Undefined: what it was made from is not
 * remembered that far.
 */
function nearestOf(lines: readonly Line[], version: number, marks: readonly number[]): number | undefined {
  const oldest = Math.min(...marks);
  for (let at = version; at > 0 && at >= oldest; ) {
    const { first, from } = lineOf(lines, at) ?? { first: at, from: undefined };
    const upTo = at;
    const within = marks.filter((mark) => mark >= first && mark <= upTo);
    if (within.length > 0) return Math.max(...within);
    if (from === undefined) return undefined;
    at = from;
  }
  return 0;
}

function lineOf(lines: readonly Line[], version: number): Line | undefined {
  return lines.find(({ first, last }) => version >= first && version <= last);
}
