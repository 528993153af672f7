/** Tables that sort by a click, or by Enter or Space, on a column's head. */
import { known, type Interval, type Maybe } from "./data";
import { h } from "./dom";
import { absent, interval, number } from "./format";

type Key = number | string | undefined;

export interface Column<T> {
  head: string;
  /** What the column means, where the head does not say it. */
  hint?: string;
  /** What the column sorts by; undefined sorts last. Numbers sort high to low at first. */
  key: (row: T) => Key;
  cell: (row: T) => Node | string;
  numeric?: boolean;
}

export interface Table<T> {
  id: string;
  title: string;
  caption: string;
  columns: Column<T>[];
  rows: T[];
  /** Whether the table may be wider than the text. */
  wide?: boolean;
  look?: (row: T) => string;
}

export function table<T>({ id, title, caption, columns, rows, wide, look }: Table<T>): HTMLElement {
  const heads = columns.map((column) => head(column));
  const body = h("tbody", {}, ...rows.map((row) => line(row, columns, look?.(row) ?? "")));
  const lines = [...body.children];
  heads.forEach((th, index) => {
    th.querySelector("button")?.addEventListener("click", () => {
      const column = columns[index] as Column<T>;
      const rising = nextRising(th, column.numeric === true);
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      th.setAttribute("aria-sort", rising ? "ascending" : "descending");
      body.append(...order(rows, column, rising).map((at) => lines[at] as Element));
    });
  });
  return h(
    "section",
    { class: wide ? "table wide" : "table", id },
    h("h3", { id: `${id}-title` }, title),
    h("p", {}, caption),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": `${id}-title` },
      h("table", { "aria-labelledby": `${id}-title` }, h("thead", {}, h("tr", {}, ...heads)), body),
    ),
  );
}

function head<T>({ head: text, hint, numeric }: Column<T>): HTMLElement {
  const button = h("button", { type: "button", ...(hint ? { title: hint } : {}) }, text);
  return h(
    "th",
    { scope: "col", "aria-sort": "none", ...(numeric ? { class: "numeric" } : {}) },
    button,
  );
}

function line<T>(row: T, columns: Column<T>[], look: string): HTMLElement {
  const cells = columns.map((column, index) =>
    h(
      index === 0 ? "th" : "td",
      {
        ...(index === 0 ? { scope: "row" } : {}),
        ...(column.numeric ? { class: "numeric" } : {}),
      },
      index === 0 ? h("div", { class: "name" }, column.cell(row)) : column.cell(row),
    ),
  );
  return h("tr", look ? { class: look } : {}, ...cells);
}

function nextRising(th: HTMLElement, numeric: boolean): boolean {
  const now = th.getAttribute("aria-sort");
  return now === "none" ? !numeric : now === "descending";
}

/** The positions of the rows in their new order; what is undefined comes last both ways. */
function order<T>(rows: T[], column: Column<T>, rising: boolean): number[] {
  const keys = rows.map((row) => column.key(row));
  const sign = rising ? 1 : -1;
  return rows.map((_, at) => at).sort((a, b) => compare(keys[a], keys[b], sign) || a - b);
}

function compare(a: Key, b: Key, sign: number): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * String(a).localeCompare(String(b), "en", { numeric: true });
}

/** A dash, with the reason where one is known. */
export function absentCell(value: unknown, row?: { reason?: string }): Node {
  return h("span", { class: "absent" }, absent(value, row));
}

/** A number with its interval in smaller type, or a dash and the reason. */
export function measureCell(
  value: Maybe<number>,
  ci?: Maybe<Interval>,
  row?: { reason?: string },
  format: (x: number) => string = (x) => number(x),
): Node {
  const point = known(value);
  if (point === undefined) return absentCell(value, row);
  const bounds = known(ci);
  return h(
    "span",
    {},
    format(point),
    bounds && " ",
    bounds && h("small", { class: "interval" }, interval(bounds, format)),
  );
}
