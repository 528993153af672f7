/** Keys and what they do. One table for each view: the page listens by it, prints it on controls and in the overlay of `?`. */

export interface Action {
  /** As `keyOf` spells them: "1", "Enter", "Ctrl+z", "Alt+ArrowUp". The first is printed. */
  keys: readonly string[];
  label: string;
  run: () => void;
  /** Left alone while it is false. */
  enabled?: boolean;
  /** Also done for each repetition while the key is held: movements alone. */
  repeats?: boolean;
  /** Also while a text is typed. */
  typing?: boolean;
  /** It is a choice, after which an answer may be complete. */
  chooses?: boolean;
}

export interface ActionGroup {
  title: string;
  actions: readonly Action[];
}

const kSigns: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  " ": "Space",
};

/** "Alt+ArrowUp" as it is printed. */
export function printed(key: string): string {
  return key
    .split(/\+(?=.)/)
    .map((part) => kSigns[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" ");
}

/**
 * The key of an event. Under a layout of another script the letter or digit is the one that stands at its place on a
 * Latin keyboard, so that the keys of the table work everywhere.
 */
export function keyOf(event: KeyboardEvent): string {
  let key = event.key;
  if (key.length === 1 && key > "~") {
    const place = event.code.match(/^(?:Key|Digit)(.)$/)?.[1];
    key = place ?? (event.code === "Slash" && event.shiftKey ? "?" : key);
  }
  if (key.length === 1) key = key.toLowerCase();
  if (event.altKey) key = `Alt+${key}`;
  if (event.ctrlKey || event.metaKey) key = `Ctrl+${key}`;
  return key;
}

const kDigits = "1234567890";
/** Letters of options beyond the tenth, without those that the page itself uses. */
const kLetters = "qwertyiopadhjklzxvbnm";

/** Keys for so many options in their order, fewer where they run out. */
export function optionKeys(count: number, taken = ""): string[] {
  return [...kDigits, ...kLetters].filter((key) => !taken.includes(key)).slice(0, count);
}

/** Keys for levels: their own digit where all of them are one. */
export function levelKeys(levels: readonly number[]): string[] {
  return levels.every((level) => Number.isInteger(level) && level >= 0 && level <= 9)
    ? levels.map(String)
    : optionKeys(levels.length);
}

/** The actions without keys that others have already. */
export function without(actions: readonly Action[], taken: readonly Action[]): Action[] {
  const gone = new Set(taken.flatMap(({ keys }) => keys));
  return actions.map((action) => ({ ...action, keys: action.keys.filter((key) => !gone.has(key)) }));
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** Whether the element has a use of its own for the key: a button is pressed by Enter and Space, an option by Space. */
function usesItself(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement) || (key !== "Enter" && key !== " ")) return false;
  const control = target.closest("button, a[href], summary");
  return control !== null && !(key === "Enter" && control.matches("[role=radio], [role=option]"));
}

/** Does what the key says; whether there was something to do. */
export function dispatch(event: KeyboardEvent, groups: readonly ActionGroup[]): boolean {
  if (event.defaultPrevented || event.isComposing) return false;
  const key = keyOf(event);
  for (const { actions } of groups) {
    for (const action of actions) {
      if (!action.keys.includes(key) || action.enabled === false) continue;
      if (isTyping(event.target) && !action.typing) continue;
      if (usesItself(event.target, key)) continue;
      event.preventDefault();
      if (!event.repeat || action.repeats) action.run();
      return true;
    }
  }
  return false;
}
