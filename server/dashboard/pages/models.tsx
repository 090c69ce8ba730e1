// Versions: where each came from, what devices made of it, and which one they serve.

import type { ModelView } from "../../http/schema.js";
import { ago, bytes, moment } from "../format.js";
import { lineage } from "../lineage.js";
import type { LiveState } from "../live-state.js";
import { Badge, Empty, Facts, Section } from "../parts/bits.js";
import { Confirm } from "../parts/confirm.js";
import { SelectionCard } from "../parts/selection.js";
import { TrialCard } from "../parts/trial.js";
import { serverNow } from "../store.js";
import { measured } from "./rounds.js";

export function Models({ state }: { readonly state: LiveState }) {
  const { models, status } = state;
  return (
    <>
      <div class="title-row">
        <h1>Models</h1>
        <Confirm
          label="Roll back"
          question="Roll back?"
          consequence="A version on trial is withdrawn; without one, devices go back to the version they served before."
          url="/api/rollback"
          actions={status.actions}
        />
      </div>
      {status.actions.isAvailable ? null : (
        <p class="quiet">Versions cannot be changed from here: {status.actions.reason}.</p>
      )}
      {status.trial === undefined ? null : (
        <TrialCard trial={status.trial} metric={status.metric} nowMs={serverNow()} />
      )}
      {status.selection === undefined ? null : <SelectionCard selection={status.selection} />}
      {models.length === 0 ? <Empty>No version has been made yet.</Empty> : null}
      <ul class="tree" aria-label="Versions, each above the one it was made from">
        {lineage(models).map(({ model, depth, isBranch }) => (
          <li
            key={model.version}
            class={isBranch ? "branch" : ""}
            style={{ marginLeft: `${Math.min(depth, 6) * 20}px` }}
          >
            <Version model={model} state={state} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Version({ model, state }: { readonly model: ModelView; readonly state: LiveState }) {
  const { version, parent, evaluation, createdMs, candidate } = model;
  return (
    <article class="version">
      <div>
        <h2>
          <a href={`#/models/${version}`}>Version {version}</a> <Lines model={model} />
        </h2>
        <p class="quiet">
          {candidate === undefined ? "" : `${candidate}, `}
          {parent === 0 ? "the first" : `from ${parent}`}, {ago(createdMs, serverNow())}, {bytes(model.bytes)}
        </p>
      </div>
      <p class="measured">{evaluation === undefined ? "not measured" : measured(evaluation.metrics)}</p>
      {model.isStable ? null : <Promote version={version} state={state} />}
    </article>
  );
}

function Lines({ model }: { readonly model: ModelView }) {
  return (
    <>
      {model.isStable ? <Badge shade="good">stable</Badge> : null}{" "}
      {model.isHead ? <Badge shade="busy">head</Badge> : null}{" "}
      {model.trial === undefined ? null : <Badge shade="warn">{model.trial}</Badge>}{" "}
      {model.aliases.map((name) => (
        <span key={name} class="alias" title="its alias">
          {name}
        </span>
      ))}
    </>
  );
}

function Promote({ version, state }: { readonly version: number; readonly state: LiveState }) {
  return (
    <Confirm
      label={`Promote ${version}`}
      question={`Promote version ${version}?`}
      consequence="Every device serves it from its next contact on, without a trial before."
      url={`/api/models/${version}/promote`}
      actions={state.status.actions}
    />
  );
}

function Children({ versions }: { readonly versions: readonly number[] }) {
  if (versions.length === 0) return <>–</>;
  return (
    <>
      {versions.map((version, at) => (
        <span key={version}>
          {at === 0 ? "" : ", "}
          <a href={`#/models/${version}`}>{version}</a>
        </span>
      ))}
    </>
  );
}

export function ModelPage({ version, state }: { readonly version: number; readonly state: LiveState }) {
  const model = state.models.find((each) => each.version === version);
  if (model === undefined) return <Empty>Version {version} is not kept any more.</Empty>;
  const { evaluation } = model;
  const children = state.models.filter(({ parent }) => parent === version);
  const serving = state.devices.filter(({ stable }) => stable === version).length;
  return (
    <>
      <p class="crumb">
        <a href="#/models">Models</a>
      </p>
      <div class="title-row">
        <h1>
          Version {version} <Lines model={model} />
        </h1>
        {model.isStable ? null : <Promote version={version} state={state} />}
      </div>
      <Facts
        facts={[
          [
            "made from",
            model.parent === 0 ? "nothing" : <a href={`#/models/${model.parent}`}>{model.parent}</a>,
          ],
          ["led to", <Children versions={children.map((child) => child.version)} />],
          ["devices serving it", `${serving}, as they last said`],
          ...(model.candidate === undefined ? [] : [["candidate", model.candidate] as const]),
          ["aliases", model.aliases.length === 0 ? "–" : model.aliases.join(", ")],
          ["size", bytes(model.bytes)],
          ["made", moment(model.createdMs)],
          ["expires", moment(model.expiresMs)],
        ]}
      />
      <Section title="Measured on devices">
        {evaluation === undefined ? (
          <Empty>It has not been measured.</Empty>
        ) : (
          <p>
            {measured(evaluation.metrics)}, over {evaluation.rows.toLocaleString("en")} rows in round{" "}
            <a href={`#/rounds/${evaluation.round}`}>{evaluation.round}</a>.
          </p>
        )}
      </Section>
      <Section title="Identity">
        <dl class="hashes">
          <dt>content (SHA-256)</dt>
          <dd>{model.sha256}</dd>
          <dt>shape of its params</dt>
          <dd>{model.fingerprint}</dd>
          <dt>pipeline, scaler and topology</dt>
          <dd>{model.modelSignature}</dd>
        </dl>
      </Section>
    </>
  );
}
