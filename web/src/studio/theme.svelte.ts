/** Light or dark: the system's choice until one is made here, which this browser remembers. */
import { kept, keep } from "./kept";

const kName = "plumb.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
let chosen = $state<string | undefined>(undefined);
let systemDark = $state(system.matches);

export const theme = {
  get dark(): boolean {
    return chosen ? chosen === "dark" : systemDark;
  },
  toggle(): void {
    show(theme.dark ? "light" : "dark");
    keep(kName, chosen ?? "");
  },
};

function show(name: string): void {
  chosen = name;
  document.documentElement.dataset.theme = name;
}

export function startTheme(): void {
  system.addEventListener("change", () => (systemDark = system.matches));
  const before = kept(kName);
  if (before === "light" || before === "dark") show(before);
}
