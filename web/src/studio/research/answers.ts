/** Answers of annotators side by side: what each said, as words, or a word for each part of the item. */
import { number } from "../../format";
import type { Answer, Kind, Task } from "../api";
import { isNumber, text } from "../annotate/sheet";
import type { Dispute } from "./research";

/** A part of an item that is answered for itself: a candidate, a text of a pool. */
export interface Part {
  id: string;
  text: string;
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const plain = (value: number) => (Number.isInteger(value) ? `${value}` : number(value, 2));

export function partsOf({ kind, body }: Pick<Dispute, "kind" | "body">): Part[] {
  if (kind === "reranking") return list(body.candidates).map((candidate, i) => ({ id: `${i}`, text: String(candidate) }));
  if (kind !== "clustering") return [];
  return list(body.texts).flatMap((one) => {
    if (typeof one !== "object" || one === null) return [];
    const card = one as Record<string, unknown>;
    return [{ id: text(card, "id"), text: text(card, "text") }];
  });
}

const kChoices: Record<string, string> = { A: "A is better", B: "B is better", tie: "Equally good", "both bad": "Both are bad" };

/** The answer in words; of kinds with parts how it was given. */
export function inWords(kind: Kind, answer: Answer, task: Task): string {
  if (kind === "sts") return isNumber(answer.rating) ? plain(answer.rating) : "";
  if (kind === "classification") return text(answer, "label");
  if (kind === "preference") {
    const strength = isNumber(answer.strength) && answer.strength !== 0 && task.scale ? `, by ${plain(answer.strength)}` : "";
    return (kChoices[text(answer, "choice")] ?? text(answer, "choice")) + strength;
  }
  if (kind === "clustering") {
    const groups = new Set(Object.values((answer.groups as object | undefined) ?? {}));
    return `${groups.size} ${groups.size === 1 ? "group" : "groups"}`;
  }
  return Array.isArray(answer.scores) ? "in order" : "grades";
}

/** What the answer says of a part: a grade, a rank ("2nd" as "2."), a group's name. */
export function ofPart(kind: Kind, answer: Answer, { id }: Part): string {
  if (kind === "clustering") return String((answer.groups as Record<string, unknown> | undefined)?.[id] ?? "");
  const at = Number(id);
  const grade = list(answer.grades)[at];
  if (isNumber(grade)) return plain(grade);
  const scores = list(answer.scores).filter(isNumber);
  const score = scores[at];
  if (score === undefined) return "";
  const better = scores.filter((other) => other > score).length;
  const equal = scores.filter((other) => other === score).length > 1 ? "=" : "";
  return `${better + 1}.${equal}`;
}

/** Whether two answers are one and the same, in whatever order their parts stand. */
export function same(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown): unknown =>
    typeof value !== "object" || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)).map(([k, v]) => [k, sorted(v)]));
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}
