/** Rounds of asking: what the old reward model knew of the new answers, and what each policy earned. */
import * as Plot from "@observablehq/plot";
import type { Interval } from "../data";
import { drawChart } from "../figures/chart";
import { figure, kSigns, legend } from "../figures/figure";
import { interval, number } from "../format";
import { measureCell, table } from "../table";
import { bounded, type Round } from "./data";

interface Mark {
  round: number;
  value: number;
  low: number;
  high: number;
  panel: string;
  look: string;
  title: string;
}

const kPanels = ["gold of the policy", "old reward model right, %"] as const;

function mark(round: number, value: number, ci: Interval, panel: 0 | 1): Mark {
  const digits = panel === 0 ? 2 : 0;
  const title = `round ${round}, ${kPanels[panel]}: ${number(value, digits)} ${interval(ci, (x) => number(x, digits))}`;
  return { round, value, low: ci[0], high: ci[1], panel: kPanels[panel], look: panel === 0 ? "human" : "model", title };
}

function marks(rounds: Round[]): Mark[] {
  return rounds.flatMap(({ round, policy, prequential }) => {
    const made: Mark[] = [];
    if (bounded(policy.gold, policy.gold_ci) && policy.gold_ci) made.push(mark(round, policy.gold, policy.gold_ci, 0));
    const { accuracy, accuracy_ci: ci } = prequential;
    if (bounded(accuracy, ci) && ci) made.push(mark(round, 100 * accuracy, [100 * ci[0], 100 * ci[1]], 1));
    return made;
  });
}

function drawPanel(all: Mark[], rounds: number[], width: number): SVGSVGElement {
  const color = (one: Mark) => `var(--${one.look})`;
  return drawChart({
    width,
    height: 220,
    marginLeft: 46,
    marginBottom: 40,
    x: { type: "point", domain: rounds, label: "round →", labelAnchor: "center", tickFormat: (x: number) => `${x}` },
    y: { label: `↑ ${all[0]?.panel ?? ""}`, nice: true, ticks: 5 },
    marks: [
      Plot.gridY({ stroke: "var(--guide)", strokeOpacity: 1, ticks: 5 }),
      Plot.line(all, { x: "round", y: "value", stroke: color, z: null, strokeWidth: 1.5 }),
      Plot.ruleX(all, { x: "round", y1: "low", y2: "high", stroke: color, strokeWidth: 2 }),
      Plot.dot(all, { x: "round", y: "value", r: 4, fill: color, title: "title", className: "points" }),
    ],
  });
}

/** Both panels in one drawing, beside each other or, where there is no room, one above the other. */
function draw(all: Mark[], rounds: number[], width: number): SVGSVGElement {
  const narrow = width < 640;
  const each = narrow ? width : Math.floor(width / 2) - 8;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const panels = kPanels.map((panel) => all.filter((one) => one.panel === panel)).filter((of) => of.length > 0);
  panels.forEach((of, at) => {
    const one = drawPanel(of, rounds, each);
    one.setAttribute("x", narrow ? "0" : `${at * (each + 16)}`);
    one.setAttribute("y", narrow ? `${at * 236}` : "0");
    svg.append(one);
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${narrow ? 236 * panels.length : 220}`);
  svg.setAttribute("width", `${width}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${all.map(({ title }) => title).join("; ")}.`);
  return svg;
}

function roundsTable(rounds: Round[]): HTMLElement {
  const two = (x: number) => number(x, 2);
  return table<Round>({
    id: "table-rounds",
    title: "Rounds",
    caption:
      "Old model right: how often the reward model of the round before agrees with the new answers, on completions of the policy that it led to, before it has learnt them.",
    rows: rounds,
    wide: true,
    columns: [
      { head: "Round", numeric: true, key: ({ round }) => round, cell: ({ round }) => `${round}` },
      { head: "Chosen by", key: (row) => row.chosen_by, cell: (row) => row.chosen_by },
      { head: "Answers", numeric: true, key: ({ answers }) => answers, cell: ({ answers }) => `${answers}` },
      { head: "Learnt from", numeric: true, key: (row) => row.trained_on, cell: (row) => `${row.trained_on}` },
      {
        head: "Old model right",
        numeric: true,
        key: ({ prequential }) => prequential.accuracy,
        cell: ({ prequential: old }) => measureCell(old.accuracy, old.accuracy_ci, old, two),
      },
      { head: "KL", numeric: true, key: ({ policy }) => policy.kl, cell: ({ policy }) => two(policy.kl) },
      { head: "Proxy", numeric: true, key: ({ policy }) => policy.proxy, cell: ({ policy }) => two(policy.proxy) },
      {
        head: "Gold",
        numeric: true,
        key: ({ policy }) => policy.gold ?? undefined,
        cell: ({ policy }) => measureCell(policy.gold, policy.gold_ci, undefined, two),
      },
    ],
  });
}

export function roundsParts(rounds: Round[]): Node[] {
  const all = marks(rounds);
  const numbers = rounds.map(({ round }) => round);
  const drawn = figure({
    id: "figure-rounds",
    title: "What each round came to",
    caption: "The gold of the policy of each round, and how often the reward model of the round before agreed with the new answers before it learnt them.",
    legend: legend([
      [kSigns.circle, "solid human", "gold of the policy"],
      [kSigns.circle, "solid model", "old reward model right"],
    ]),
    draw: (width) => draw(all, numbers, width),
  });
  return [drawn, roundsTable(rounds)];
}
