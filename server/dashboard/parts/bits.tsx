// Small parts that every page uses.

import type { ComponentChildren } from "preact";
import type { MemberView, RoundView } from "../../http/schema.js";
import type { Answer } from "../api.js";

export type Shade = "good" | "warn" | "bad" | "busy" | "quiet";

/** A word with a tone; the mark before it says the same without colour. */
export function Badge({ shade, children }: { readonly shade: Shade; readonly children: ComponentChildren }) {
  return <span class={`badge ${shade}`}>{children}</span>;
}

/** A titled part of a page. */
export function Section(props: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="card">
      <header class="card-head">
        <h2>{props.title}</h2>
        {props.aside === undefined ? null : <div class="aside">{props.aside}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** Names and values. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A table that scrolls by itself where the page is narrow. */
export function Table(props: {
  readonly caption: string;
  readonly head: readonly string[];
  /** Of `head`, the columns of numbers: they stand to the right. */
  readonly numbers?: readonly string[];
  readonly rows: readonly { readonly key: string | number; readonly cells: readonly ComponentChildren[] }[];
}) {
  const kindOf = (name: string | undefined) =>
    name !== undefined && props.numbers?.includes(name) ? "number" : undefined;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1).
    <section class="scroll" tabIndex={0} aria-label={props.caption}>
      <table>
        <caption class="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.head.map((name) => (
              <th key={name} scope="col" class={kindOf(name)}>
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, at) => (
                <td key={props.head[at]} class={kindOf(props.head[at])}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Said where nothing is there yet. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** What stands in for an answer that is not there. */
export function Pending({ answer }: { readonly answer: Exclude<Answer<unknown>, { kind: "known" }> }) {
  if (answer.kind === "waiting") return <Empty>Asking the server…</Empty>;
  return <Empty>The server did not answer: {answer.reason}</Empty>;
}

export const outcomeShade: Readonly<Record<RoundView["outcome"], Shade>> = {
  open: "busy",
  completed: "good",
  abandoned: "bad",
};

export const memberShade: Readonly<Record<MemberView["status"], Shade>> = {
  assigned: "busy",
  accepted: "good",
  rejected: "bad",
  expired: "warn",
  declined: "warn",
  unfinished: "quiet",
};
