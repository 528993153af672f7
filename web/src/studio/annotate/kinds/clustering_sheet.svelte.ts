/** A pool of texts that are sorted into groups; what the groups are is up to the annotator. */
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import type { Answer, Served, Task } from "../../api";
import { optionKeys, type Action } from "../keys";
import type { Sheet } from "../sheet";

export interface Card {
  id: string;
  text: string;
}

export interface Group {
  id: number;
  name: string;
}

/** Letters that this kind uses itself, beside "0", which is the pool. */
const kOwn = "0nrmxz";

const isCard = (value: unknown): value is Card =>
  typeof value === "object" && value !== null && "id" in value && "text" in value;

export class ClusteringSheet implements Sheet {
  readonly cards: readonly Card[];
  readonly wanted: number | null;
  readonly single = false;
  groups = $state<Group[]>([]);
  /** Which group a card is in; none: the pool. */
  places = new SvelteMap<string, number>();
  selected = new SvelteSet<string>();
  /** The card that keys speak to. */
  at = $state<string | null>(null);
  /** The group that a key or a click joins to another. */
  merging = $state<number | null>(null);
  #made = 0;
  /** Set by the view. */
  follow: () => void = () => {};
  rename: (group: number) => void = () => {};
  say: (words: string) => void = () => {};

  constructor(served: Served, task: Task, draft: Answer | null) {
    this.cards = Array.isArray(served.item.texts) ? served.item.texts.filter(isCard) : [];
    this.wanted = task.groups;
    this.#restore(draft);
    if (this.groups.length === 0) {
      for (let i = 0; i < (task.groups ?? 2); ++i) this.#add();
    }
    this.at = this.cards[0]?.id ?? null;
  }

  #restore(draft: Answer | null): void {
    const { groups, names } = draft ?? {};
    if (Array.isArray(names)) for (const name of names) this.#add(String(name));
    if (typeof groups !== "object" || groups === null) return;
    const known = new Set(this.cards.map(({ id }) => id));
    for (const [id, name] of Object.entries(groups)) {
      if (!known.has(id)) continue;
      const group = this.groups.find((one) => one.name === String(name)) ?? this.#add(String(name));
      this.places.set(id, group.id);
    }
  }

  #add(name?: string): Group {
    const id = ++this.#made;
    let number = this.groups.length + 1;
    while (name === undefined && this.groups.some((one) => one.name === `Group ${number}`)) ++number;
    const group = { id, name: name ?? `Group ${number}` };
    this.groups.push(group);
    return group;
  }

  get keys(): string[] {
    return optionKeys(this.groups.length, kOwn);
  }
  cardsOf(group: number | null): Card[] {
    return this.cards.filter(({ id }) => (this.places.get(id) ?? null) === group);
  }
  get pool(): Card[] {
    return this.cardsOf(null);
  }
  /** What is moved: the selected cards, else the one that keys speak to. */
  get hand(): string[] {
    if (this.selected.size > 0) return this.cards.map(({ id }) => id).filter((id) => this.selected.has(id));
    return this.at === null ? [] : [this.at];
  }
  get current(): number | null {
    return this.at === null ? null : (this.places.get(this.at) ?? null);
  }

  toggle(card: string): void {
    this.at = card;
    if (!this.selected.delete(card)) this.selected.add(card);
  }
  /** Moves cards to a group, or to the pool; what follows them in their place is next. */
  move(cards: readonly string[], group: number | null): void {
    if (cards.length === 0) return;
    const list = this.cardsOf(this.current).map(({ id }) => id);
    const here = this.at === null ? -1 : list.indexOf(this.at);
    const rest = (id: string) => !cards.includes(id);
    const next = list.slice(here + 1).find(rest) ?? list.slice(0, Math.max(0, here)).findLast(rest);
    for (const id of cards) {
      if (group === null) this.places.delete(id);
      else this.places.set(id, group);
    }
    this.selected.clear();
    this.at = next ?? this.pool[0]?.id ?? cards[0] ?? null;
    const name = group === null ? "the pool" : this.#name(group);
    this.say(`${cards.length === 1 ? "Moved" : `${cards.length} moved`} to ${name}. ${this.pool.length} left.`);
    this.follow();
  }
  #name(group: number): string {
    return this.groups.find(({ id }) => id === group)?.name ?? "";
  }
  moveToNew(): void {
    const cards = this.hand;
    this.move(cards, this.#add().id);
  }
  addGroup(): void {
    this.rename(this.#add().id);
  }
  remove(group: number): void {
    if (this.cardsOf(group).length === 0) this.groups = this.groups.filter(({ id }) => id !== group);
  }
  /** The selected cards of a group become one of their own. */
  split(group: number): void {
    const cards = this.splitting(group);
    if (cards.length > 0) this.move(cards, this.#add().id);
  }
  splitting(group: number | null): string[] {
    const own = this.cardsOf(group).map(({ id }) => id);
    const chosen = own.filter((id) => this.selected.has(id));
    return group === null || chosen.length === own.length ? [] : chosen;
  }
  startMerge(group: number | null): void {
    if (group === null || this.groups.length < 2) return;
    this.merging = group;
    this.say(`Merge ${this.#name(group)} with which group? Press its key, or Escape.`);
  }
  /** Joins the group that is being merged to another, whose name stays. */
  merge(into: number): void {
    const from = this.merging;
    this.merging = null;
    if (from === null || from === into) return;
    for (const { id } of this.cardsOf(from)) this.places.set(id, into);
    const gone = this.#name(from);
    this.groups = this.groups.filter(({ id }) => id !== from);
    this.say(`${gone} is part of ${this.#name(into)} now.`);
    this.follow();
  }
  choose(group: number): void {
    if (this.merging === null) this.move(this.hand, group);
    else this.merge(group);
  }

  step(by: -1 | 1): void {
    const list = this.cardsOf(this.current);
    const here = list.findIndex(({ id }) => id === this.at);
    const next = list[here + by];
    if (next) this.at = next.id;
    this.follow();
  }
  /** To the first card of the list before or after, the pool being the first. */
  jump(by: -1 | 1): void {
    const lists = [null, ...this.groups.map(({ id }) => id)];
    for (let i = lists.indexOf(this.current) + by; i >= 0 && i < lists.length; i += by) {
      const first = this.cardsOf(lists[i] ?? null)[0];
      if (!first) continue;
      this.at = first.id;
      break;
    }
    this.follow();
  }

  get answer(): Answer | null {
    return this.missing ? null : { groups: this.#named() };
  }
  #named(): Record<string, string> {
    const names = new Map(this.groups.map(({ id, name }) => [id, name.trim()]));
    return Object.fromEntries([...this.places].map(([id, group]) => [id, names.get(group) ?? ""]));
  }
  get missing(): string {
    const left = this.pool.length;
    if (left > 0) return `${left} ${left === 1 ? "text is" : "texts are"} in no group yet.`;
    const names = this.groups.map(({ name }) => name.trim());
    if (names.some((name) => name === "")) return "A group has no name.";
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    return twice === undefined ? "" : `Two groups are named “${twice}”: merge them, or rename one.`;
  }
  get draft(): Answer {
    if (this.places.size === 0 && this.groups.every(({ name }, i) => name === `Group ${i + 1}`)) return {};
    return { groups: this.#named(), names: this.groups.map(({ name }) => name) };
  }

  get actions(): readonly Action[] {
    const keys = this.keys;
    const merging = this.merging !== null;
    const groups = this.groups.map((group, i) => ({
      keys: keys[i] === undefined ? [] : [keys[i]],
      label: merging ? `Merge into ${group.name}` : `Into ${group.name}`,
      run: () => this.choose(group.id),
    }));
    return [
      ...groups,
      { keys: ["0"], label: "Back to the pool", run: () => this.move(this.hand, null) },
      { keys: ["n"], label: "Into a new group", run: () => this.moveToNew() },
      { keys: [" "], label: "Select the card, for moving several", run: () => this.at !== null && this.toggle(this.at) },
      { keys: ["ArrowDown"], label: "The next card", run: () => this.step(1), repeats: true },
      { keys: ["ArrowUp"], label: "The card before", run: () => this.step(-1), repeats: true },
      { keys: ["ArrowRight"], label: "To the next group", run: () => this.jump(1) },
      { keys: ["ArrowLeft"], label: "To the group before", run: () => this.jump(-1) },
      { keys: ["r"], label: "Rename the card’s group", run: () => this.current !== null && this.rename(this.current) },
      { keys: ["m"], label: "Merge the card’s group into another", run: () => this.startMerge(this.current) },
      { keys: ["x"], label: "Split: selected cards of its group into a new one", run: () => this.current !== null && this.split(this.current) },
      { keys: ["Escape"], label: "No merge, nothing selected", run: () => this.relax(), enabled: merging || this.selected.size > 0 },
    ];
  }
  relax(): void {
    this.merging = null;
    this.selected.clear();
  }
}
