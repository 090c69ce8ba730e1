// The dashboard: one live picture of the server, and pages that show parts of it.

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "./style.css";
import { after, now } from "./clock.js";
import { span } from "./format.js";
import type { LiveState } from "./live-state.js";
import { DevicePage, Devices } from "./pages/devices.js";
import { Drift } from "./pages/drift.js";
import { Metrics } from "./pages/metrics.js";
import { ModelPage, Models } from "./pages/models.js";
import { Overview } from "./pages/overview.js";
import { RoundPage, Rounds } from "./pages/rounds.js";
import { TaskPage } from "./pages/task.js";
import { Empty } from "./parts/bits.js";
import { type Place, usePlace } from "./router.js";
import { type Connection, connect, useLive } from "./store.js";
import { nextTheme, setTheme, storedTheme } from "./theme.js";

const PAGES = [
  ["", "Overview"],
  ["rounds", "Rounds"],
  ["metrics", "Metrics"],
  ["devices", "Devices"],
  ["models", "Models"],
  ["drift", "Drift"],
  ["task", "Task"],
] as const;

function App() {
  const place = usePlace();
  const { state, connection } = useLive();
  const main = useRef<HTMLElement>(null);
  const address = `${place.page}/${place.item ?? ""}`;
  const visited = useRef(address);
  useEffect(() => {
    const title = PAGES.find(([page]) => page === place.page)?.[1] ?? "Headwater";
    document.title = `${place.item ?? title} - ${state?.status.task ?? "Headwater"}`;
    // Whoever follows a link by keyboard goes on reading where it leads.
    if (visited.current !== address) main.current?.focus();
    visited.current = address;
  }, [address, place, state?.status.task]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <Header state={state} page={place.page} />
      <Lost connection={connection} isKnown={state !== undefined} />
      <main ref={main} tabIndex={-1}>
        {state === undefined ? (
          <Empty>Connecting to the server…</Empty>
        ) : (
          <Page place={place} state={state} />
        )}
      </main>
      <footer>
        Headwater {state?.status.version} · <a href="/api/openapi.json">API</a>
      </footer>
    </>
  );
}

function Page({ place: { page, item, query }, state }: { readonly place: Place; readonly state: LiveState }) {
  switch (page) {
    case "":
      return <Overview state={state} />;
    case "rounds":
      return item === undefined ? (
        <Rounds state={state} />
      ) : (
        <RoundPage key={item} round={Number(item)} state={state} />
      );
    case "metrics":
      return <Metrics state={state} />;
    case "devices":
      return item === undefined ? (
        <Devices state={state} query={query} />
      ) : (
        <DevicePage id={item} state={state} />
      );
    case "models":
      return item === undefined ? (
        <Models state={state} />
      ) : (
        <ModelPage version={Number(item)} state={state} />
      );
    case "drift":
      return <Drift state={state} />;
    case "task":
      return <TaskPage state={state} />;
    default:
      return <Empty>There is no page called {page}.</Empty>;
  }
}

function Header({ state, page }: { readonly state: LiveState | undefined; readonly page: string }) {
  const [theme, choose] = useState(storedTheme());
  const toggle = () => {
    const next = nextTheme(theme);
    setTheme(next);
    choose(next);
  };
  return (
    <header class="top">
      <div class="brand">
        <b>{state?.status.task ?? "Headwater"}</b>
        <button type="button" class="button small" onClick={toggle}>
          Theme: {theme}
        </button>
      </div>
      <nav aria-label="Pages">
        {PAGES.map(([name, title]) => (
          <a key={name} href={`#/${name}`} aria-current={name === page ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Lost({ connection, isKnown }: { readonly connection: Connection; readonly isKnown: boolean }) {
  const { isLive, heardMs } = connection;
  useTick(!isLive);
  const isLost = !isLive && isKnown;
  return (
    <div role="status" class={isLost ? "lost" : ""}>
      {isLost
        ? `The server does not answer. What is shown is ${span(now() - (heardMs ?? now()))} old; it is tried again.`
        : ""}
    </div>
  );
}

/** Draws anew once a second while `isOn`: an age grows by itself. */
function useTick(isOn: boolean): void {
  const [ticks, setTicks] = useState(0);
  useEffect(() => (isOn ? after(1_000, () => setTicks(ticks + 1)) : undefined), [isOn, ticks]);
}

setTheme(storedTheme());
connect();
const place = document.getElementById("app");
if (place !== null) render(<App />, place);
