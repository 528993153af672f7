/** How wide a text is drawn in a figure, and where one breaks that is too long. */
import { pieces } from "../dom";
import { letters } from "../format";

export const kSize = 12;
export const kLine = 14;

let pen: CanvasRenderingContext2D | null = null;

export function breadth(text: string, weight = 400): number {
  pen ??= document.createElement("canvas").getContext("2d");
  const family = getComputedStyle(document.documentElement).getPropertyValue("--sans");
  if (!pen) return 0.55 * kSize * text.length;
  pen.font = `${weight} ${kSize}px ${family}`;
  return pen.measureText(text).width;
}

/** Lines no wider than `width`, broken at blanks, at the marks that names are joined by, and else anywhere; what is more than `most` ends in "…". */
export function wrap(text: string, width: number, most = 3, weight = 400): string[] {
  const fits = (line: string) => breadth(line.trimEnd(), weight) <= width;
  const parts = text.split(/(?<=\s)/).flatMap(pieces).flatMap((part) => (fits(part) ? [part] : letters(part)));
  const lines: string[] = [];
  for (const part of parts) {
    const longer = (lines[lines.length - 1] ?? "") + part;
    if (lines.length > 0 && fits(longer)) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  const shown = lines.slice(0, most).map((line) => line.trim());
  if (lines.length <= most) return shown;
  const last = letters(shown.pop() ?? "");
  while (last.length > 0 && !fits(`${last.join("")}…`)) last.pop();
  return [...shown, `${last.join("")}…`];
}

/** The whole of a text of which `lines` show the beginning alone. */
export function hidden(text: string, lines: string[]): string {
  return text.replace(/\s/g, "") === lines.join("").replace(/\s/g, "") ? "" : text;
}
