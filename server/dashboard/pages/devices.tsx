// Every device: found by name, state, version or label.

import { useState } from "preact/hooks";
import type { DeviceView } from "../../http/schema.js";
import { DEVICE_FILTERS, type DeviceFilter, filterDevices, stateOf } from "../device-filter.js";
import { ago, bytes, many, moment } from "../format.js";
import type { LiveState } from "../live-state.js";
import { Badge, Empty, Facts, memberShade, Section, Table } from "../parts/bits.js";
import { doing } from "../parts/timeline.js";
import { VirtualList } from "../parts/virtual-list.js";
import { serverNow } from "../store.js";

export function Devices({ state, query }: { readonly state: LiveState; readonly query: URLSearchParams }) {
  const given = DEVICE_FILTERS.find(({ name }) => name === query.get("show"))?.name ?? "all";
  const [text, setText] = useState("");
  const [show, setShow] = useState<DeviceFilter>(given);
  const [version, setVersion] = useState("");
  const found = filterDevices(state.devices, { text, show, version });
  const versions = [...new Set(state.devices.flatMap(({ stable }) => stable ?? []))].toSorted(
    (a, b) => b - a,
  );
  const nowMs = serverNow();
  return (
    <>
      <h1>Devices</h1>
      <search class="filters">
        <label class="field">
          <span>Name or label</span>
          <input
            type="search"
            value={text}
            placeholder="pump-1, site=lab"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>State</span>
          <select
            value={show}
            onChange={(event) =>
              setShow(DEVICE_FILTERS.find(({ name }) => name === event.currentTarget.value)?.name ?? "all")
            }
          >
            {DEVICE_FILTERS.map(({ name, label }) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Version</span>
          <select value={version} onChange={(event) => setVersion(event.currentTarget.value)}>
            <option value="">any</option>
            {versions.map((each) => (
              <option key={each} value={String(each)}>
                {each}
              </option>
            ))}
          </select>
        </label>
      </search>
      <p role="status" class="quiet">
        {many(found.length, "device")}
        {found.length === state.devices.length ? "" : ` of ${state.devices.length}`}
      </p>
      {found.length === 0 ? (
        <Empty>
          {state.devices.length === 0
            ? "No device is enrolled yet: headwater enrol NAME."
            : "None is like that."}
        </Empty>
      ) : (
        <VirtualList
          label="Devices"
          kind="devices"
          head={["device", "state", "version", "examples", "received", "refused", "heard"]}
          items={found}
          keyOf={({ device }) => device}
          cells={(device) => cells(device, nowMs)}
          open={({ device }) => {
            location.hash = `#/devices/${encodeURIComponent(device)}`;
          }}
        />
      )}
    </>
  );
}

function cells(device: DeviceView, nowMs: number) {
  const { word, shade } = stateOf(device);
  return [
    <span class="name">{device.device}</span>,
    <Badge shade={shade}>{word}</Badge>,
    device.stable ?? "–",
    device.examples.train.toLocaleString("en"),
    bytes(device.bytesUp),
    refusals(device) || "–",
    ago(device.seenMs, nowMs),
  ];
}

function refusals({ rejected }: DeviceView): number {
  return Object.values(rejected).reduce((sum, count) => sum + count, 0);
}

export function DevicePage({ id, state }: { readonly id: string; readonly state: LiveState }) {
  const device = state.devices.find((each) => each.device === id);
  if (device === undefined) return <Empty>No device is called {id}.</Empty>;
  const { word, shade } = stateOf(device);
  const member = state.members.find((each) => each.device === id);
  const nowMs = serverNow();
  const rejected = Object.entries(device.rejected);
  return (
    <>
      <p class="crumb">
        <a href="#/devices">Devices</a>
      </p>
      <h1>
        {id} <Badge shade={shade}>{word}</Badge>
      </h1>
      {device.quarantined === undefined ? null : <p>It is left out of rounds: {device.quarantined}.</p>}
      {device.reason === undefined ? null : <p>In its own words: {device.reason}</p>}
      <Facts
        facts={[
          ["last heard", ago(device.seenMs, nowMs)],
          ["version it serves", device.stable ?? "none yet"],
          ["trains on examples", device.examples.train.toLocaleString("en")],
          ["scores on", device.examples.validation.toLocaleString("en")],
          ["received from it", bytes(device.bytesUp)],
          ["sent to it", bytes(device.bytesDown)],
          ["enrolled", device.isEnrolled ? moment(device.enrolledMs) : "no"],
          ...Object.entries(device.labels ?? {}).map(([name, value]) => [name, value] as const),
        ]}
      />
      <Section title="In the open round">
        {member === undefined ? (
          <Empty>It takes no part in it.</Empty>
        ) : (
          <p>
            Round <a href={`#/rounds/${state.status.open?.round}`}>{state.status.open?.round}</a>:{" "}
            <Badge shade={memberShade[member.status]}>
              {member.status === "assigned"
                ? doing(member, state.status.open?.kind ?? "train")
                : member.status}
            </Badge>{" "}
            {member.reason ?? ""}
          </p>
        )}
      </Section>
      <Section title="Refused since the server started">
        {rejected.length === 0 ? (
          <Empty>Nothing.</Empty>
        ) : (
          <Table
            caption="Refusals by reason"
            head={["reason", "updates"]}
            rows={rejected.map(([reason, count]) => ({ key: reason, cells: [reason, count] }))}
          />
        )}
      </Section>
    </>
  );
}
