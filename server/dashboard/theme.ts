// Light, dark, or as the system is.

export type Theme = "system" | "light" | "dark";

const KEY = "headwater-theme";
const ORDER: readonly Theme[] = ["system", "light", "dark"];

export function storedTheme(): Theme {
  return ORDER.find((theme) => theme === localStorage.getItem(KEY)) ?? "system";
}

/** Shows it, keeps it for the next visit, and tells what draws its own colours. */
export function setTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  dispatchEvent(new Event("headwater-theme"));
}

export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? "system";
}
