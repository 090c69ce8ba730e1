// Tables of a report's page.

import { type Html, html } from "./html.js";

/** The table, or the sentence `otherwise` when it has no rows. Columns of numbers stand to the right. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  otherwise: string,
): Html {
  if (rows.length === 0) return html`<p class="quiet">${otherwise}</p>`;
  const kinds = head.map((_, at) => (rows.every((cells) => isNumeric(cells[at])) ? "n" : "t"));
  const body = rows.map(
    (cells) => html`<tr>${cells.map((cell, at) => html`<td class="${kinds[at]}">${cell}</td>`)}</tr>\n`,
  );
  const titles = head.map((name, at) => html`<th scope="col" class="${kinds[at]}">${name}</th>`);
  return html`<table><thead><tr>${titles}</tr></thead><tbody>${body}</tbody></table>`;
}

/** With a unit or without; nothing fits everywhere. */
function isNumeric(cell: string | number | undefined): boolean {
  return cell === undefined || cell === "" || /^-?\d/.test(String(cell));
}
