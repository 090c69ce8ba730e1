// What each device of a round did, as lanes over one span of time.

import type { MemberView, RoundView } from "../../http/schema.js";
import { span } from "../format.js";
import { Badge, Empty, memberShade } from "./bits.js";

export interface TimelineProps {
  readonly members: readonly MemberView[];
  readonly kind: RoundView["kind"];
  readonly openedMs: number | undefined;
  /** The end of the round, or now. */
  readonly untilMs: number;
}

/** Lanes drawn at once; a longer list is cut, those in trouble first. */
const LANES_MAX = 300;

export function Timeline({ members, kind, openedMs, untilMs }: TimelineProps) {
  if (members.length === 0) return <Empty>What its devices did is not remembered any more.</Empty>;
  const begin = Math.min(...members.map(({ selectedMs }) => selectedMs ?? untilMs), openedMs ?? untilMs);
  const end = Math.max(begin + 1, untilMs, ...members.map(({ endedMs }) => endedMs ?? begin));
  const shown = members.toSorted((a, b) => rank(a) - rank(b) || byName(a, b)).slice(0, LANES_MAX);
  return (
    <>
      <p class="legend" aria-hidden="true">
        <span class="seg pull" /> fetching the model <span class="seg train" /> {WORK[kind]}{" "}
        <span class="seg send" /> sending
      </p>
      <ul class="lanes" aria-label="Devices of the round">
        {shown.map((member) => (
          <Lane key={member.device} member={member} kind={kind} begin={begin} end={end} />
        ))}
      </ul>
      {members.length > shown.length ? (
        <p class="quiet">And {members.length - shown.length} more, all of them accepted or under way.</p>
      ) : null}
    </>
  );
}

/** What devices are asked for. */
const WORK: Readonly<Record<RoundView["kind"], string>> = {
  fit: "summing up",
  train: "training",
  evaluate: "scoring",
};

function byName(a: MemberView, b: MemberView): number {
  return a.device.localeCompare(b.device, "en", { numeric: true });
}

function rank({ status }: MemberView): number {
  return { rejected: 0, expired: 1, declined: 2, unfinished: 3, assigned: 4, accepted: 5 }[status];
}

function Lane(props: {
  readonly member: MemberView;
  readonly kind: RoundView["kind"];
  readonly begin: number;
  readonly end: number;
}) {
  const { member, kind, begin, end } = props;
  const { device, status, reason, selectedMs, endedMs, replacedBy } = member;
  const part = (fromMs: number, toMs: number) => ({
    left: `${(100 * (fromMs - begin)) / (end - begin)}%`,
    width: `${Math.max(0.4, (100 * (toMs - fromMs)) / (end - begin))}%`,
  });
  const took = selectedMs === undefined ? "" : span((endedMs ?? end) - selectedMs);
  return (
    <li class="lane">
      <a href={`#/devices/${encodeURIComponent(device)}`}>{device}</a>
      <div class="track" aria-hidden="true">
        {phases(member, end).map(({ kind: phase, fromMs, toMs }) => (
          <span key={phase} class={`seg ${phase}`} style={part(fromMs, toMs)} />
        ))}
      </div>
      <span class="lane-word">
        <Badge shade={memberShade[status]}>{status === "assigned" ? doing(member, kind) : status}</Badge>
        {reason === undefined ? null : <span class="reason">{reason}</span>}
        {replacedBy === undefined ? null : <span class="quiet">replaced by {replacedBy}</span>}
        <span class="quiet">{took}</span>
      </span>
    </li>
  );
}

/** What a device that has not delivered is about to do, as far as the server can see. */
export function doing({ pulledMs, uploadingMs }: MemberView, kind: RoundView["kind"]): string {
  if (uploadingMs !== undefined) return "sending";
  return pulledMs === undefined ? "selected" : WORK[kind];
}

interface Phase {
  readonly kind: "pull" | "train" | "send";
  readonly fromMs: number;
  readonly toMs: number;
}

/** The phases that have begun, in order and without gaps. */
export function phases(
  { selectedMs, pulledMs, uploadingMs, endedMs }: MemberView,
  nowMs: number,
): readonly Phase[] {
  if (selectedMs === undefined) return [];
  const lastMs = endedMs ?? nowMs;
  const trainMs = pulledMs ?? selectedMs;
  return [
    ...(pulledMs === undefined ? [] : [{ kind: "pull" as const, fromMs: selectedMs, toMs: pulledMs }]),
    { kind: "train" as const, fromMs: trainMs, toMs: uploadingMs ?? lastMs },
    ...(uploadingMs === undefined ? [] : [{ kind: "send" as const, fromMs: uploadingMs, toMs: lastMs }]),
  ];
}
