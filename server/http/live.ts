// The picture that a dashboard holds, and how it changes: first all of it, from then on what is new.

import { Difference } from "./difference.js";
import type { DeviceView, LiveStatus, MemberView, ModelView, RoundView } from "./schema.js";
import { type ApiSources, describeLive, describeModels, describeRounds } from "./views.js";

/** Everything. Event `snapshot`. */
export interface Snapshot {
  readonly status: LiveStatus;
  /** Of the open round. */
  readonly members: readonly MemberView[];
  readonly devices: readonly DeviceView[];
  /** Newest first. */
  readonly rounds: readonly RoundView[];
  readonly models: readonly ModelView[];
}

/** What is new. Event `change`. A list that is left out is as it was; `models` is always whole. */
export interface Change {
  readonly status: LiveStatus;
  /** Of the open round; all of them when it is another one than before. */
  readonly members?: readonly MemberView[];
  readonly devices?: readonly DeviceView[];
  /** Devices that are no longer known. */
  readonly goneDevices?: readonly string[];
  readonly rounds?: readonly RoundView[];
  readonly models?: readonly ModelView[];
}

/** Rounds in a snapshot; older ones are asked for page by page. */
const ROUNDS_IN_SNAPSHOT = 100;
/** More rounds than this never close between two looks. */
const ROUNDS_LOOKED_AT = 20;

/** Looks at the server and tells the difference. */
export class LivePicture {
  readonly #sources: ApiSources;
  readonly #devices = new Difference<DeviceView>(({ device }) => device);
  readonly #members = new Difference<MemberView & { readonly round: number }>(
    ({ round, device }) => `${round} ${device}`,
  );
  readonly #rounds = new Difference<RoundView>(({ round }) => String(round));
  readonly #models = new Difference<ModelView>(({ version }) => String(version));
  #status = "";

  constructor(sources: ApiSources) {
    this.#sources = sources;
  }

  /** What is new since the last call; no news when only time has passed. */
  look(): { readonly change: Change; readonly isNews: boolean } {
    const { status, members, devices } = describeLive(this.#sources);
    const { rounds } = describeRounds(this.#sources, { limit: ROUNDS_LOOKED_AT });
    const { models } = describeModels(this.#sources);
    const round = status.open?.round ?? 0;
    const changedDevices = this.#devices.next(devices);
    const changedMembers = this.#members.next(members.map((member) => ({ ...member, round })));
    const changedRounds = this.#rounds.next(rounds);
    const changedModels = this.#models.next(models);
    const change: Change = {
      status,
      ...list(
        "members",
        changedMembers.changed.map(({ round: _, ...member }) => member),
      ),
      ...list("devices", changedDevices.changed),
      ...list("goneDevices", changedDevices.gone),
      ...list("rounds", changedRounds.changed),
      ...(changedModels.changed.length + changedModels.gone.length > 0 ? { models } : {}),
    };
    const text = JSON.stringify({ ...status, nowMs: 0 });
    const isNews = text !== this.#status || Object.keys(change).length > 1;
    this.#status = text;
    return { change, isNews };
  }

  /** All of it now. */
  whole(): Snapshot {
    const { rounds } = describeRounds(this.#sources, { limit: ROUNDS_IN_SNAPSHOT });
    return { ...describeLive(this.#sources), rounds, ...describeModels(this.#sources) };
  }
}

function list<Name extends string, Item>(name: Name, items: readonly Item[]) {
  // An empty list says nothing.
  return (items.length === 0 ? {} : { [name]: items }) as { readonly [Key in Name]?: readonly Item[] };
}
