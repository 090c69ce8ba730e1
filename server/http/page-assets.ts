// The status page's style and script: whole in the page, and let in by their hashes.

export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: #8884; --quiet: #5b6570; --good: #1a7f37; --bad: #b3261e; --busy: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --quiet: #9aa4af; --good: #57c26f; --bad: #ff8a80; --busy: #7fb0ff; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.quiet, caption { color: var(--quiet); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .75rem; margin: 1rem 0; }
dl div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; }
dt { color: var(--quiet); font-size: .85rem; } dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .25rem; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }
#trouble { color: var(--bad); min-height: 1.45em; margin: 0; }
`;

/** Fetches the page again and puts its new content in place of the old, so that the reader's place in it stays. */
export const PAGE_SCRIPT = `
const { setTimeout: later } = window;
const trouble = document.getElementById("trouble");
async function refresh() {
  if (!document.hidden && String(document.getSelection()) === "") {
    try {
      const response = await fetch("/", { signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error("status " + response.status);
      const next = new DOMParser().parseFromString(await response.text(), "text/html");
      document.querySelector("main").replaceChildren(...next.querySelector("main").childNodes);
      if (trouble.textContent !== "") trouble.textContent = "";
    } catch {
      trouble.textContent = "The server does not answer. What is shown may be out of date.";
    }
  }
  later(refresh, 2000);
}
later(refresh, 2000);
`;
