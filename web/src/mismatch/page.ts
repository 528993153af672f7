/** Lays out the report of `plumb report mismatch`. */
import { known } from "../data";
import { h } from "../dom";
import { count, interval, number, percent, signed } from "../format";
import { entry, hash, header, provenance, section } from "../layout";
import { ceilingSpan, curvesFigure } from "./curves";
import type { MismatchReport, Run, Trajectory } from "./data";
import { examplesSection } from "./examples";
import { gapFigure, main } from "./gap";
import { metersFigure } from "./meters";
import { overviewFigure } from "./overview";
import { ceilingsTable, pointsTable, rulesTable, said } from "./tables";

type Made = Node | undefined;

/** Numbers figures in the order in which they are made; one that is not made takes no number. */
function numbering(): (make: (label: string) => HTMLElement | undefined) => HTMLElement | undefined {
  let made = 0;
  return (make) => {
    const figure = make(`${made + 1}`);
    if (figure) made += 1;
    return figure;
  };
}

export function mismatchPage(report: MismatchReport): Node[] {
  const { measure, details, notes } = report;
  const { runs, level } = measure;
  const figure = numbering();
  const curves: Made[] = [
    figure((label) => (runs.length > 1 ? overviewFigure(runs, label) : undefined)),
    ...runs.map((run, at) => figure((label) => curvesFigure(run, at, level, label))),
  ];
  const gaps = runs.map((run, at) => figure((label) => gapFigure(run, at, level, label)));
  const meters = runs.map((run, at) =>
    figure((label) => metersFigure(run, details[at]?.meters ?? [], at, label)),
  );
  const examples = runs.map((run, at) => {
    const shown = details[at];
    return shown && examplesSection(run, shown);
  });
  const all: [string, string, string, Made[]][] = [
    ["curves", "Curves", "Proxy and gold", curves],
    ["gap", "Gap", "How far they part, and by what", gaps],
    ["examples", "Completions", "What the completions say", examples],
    ["meters", "Meters", "Meters over time", meters],
    ["tables", "Tables", "Tables", tables(runs, level)],
    ["notes", "Notes", "Notes", notes.map((note) => h("p", {}, note))],
  ];
  const sections = all.flatMap(([id, link, title, made]) => {
    const children = made.filter((child) => child !== undefined);
    return children.length > 0 ? [{ id, link, title, children }] : [];
  });
  const links = sections.map(({ id, link }): [string, string] => [id, link]);
  return [
    header(report.title, headline(runs), [...links, ["provenance", "Provenance"]], "mismatch report"),
    ...sections.map(({ id, title, children }) => section(id, title, ...children)),
    sources(report),
  ];
}

function tables(runs: Run[], level: number): Node[] {
  const rules = runs.flatMap((run, at) => {
    const stopping = main(run)?.stopping;
    return stopping?.rules ? [rulesTable(run, stopping, at, level)] : [];
  });
  const points = runs.flatMap((run, at) =>
    run.trajectories.map((trajectory, i) => pointsTable(run, trajectory, `${at}-${i}`)),
  );
  return [
    h("p", { class: "hint" }, "A click on a column’s head sorts the table."),
    ceilingsTable(runs, level),
    ...rules,
    ...points,
  ];
}

/** What the data say, a paragraph a run. */
function headline(runs: Run[]): string[] {
  return runs.flatMap((run) => {
    const trajectory = main(run);
    const said = trajectory ? [sentence(run, trajectory)] : [];
    return [...said, ...run.missing.map((reason) => `${run.name}. ${reason}`)];
  });
}

function sentence(run: Run, trajectory: Trajectory): string {
  const gold = trajectory.curves.find(({ name }) => name === "gold");
  const star = known(gold?.d_star);
  const span = gold && ceilingSpan(gold);
  const parts = [`${run.name} (${trajectory.kind}, ${count(trajectory.prompts, "prompt")})`];
  const measured = trajectory.points.some((point) => known(point.gold) !== undefined);
  if (!gold) {
    parts.push(measured ? "no distance (KL) of the run is known" : "the gold was not measured");
  } else if (star !== undefined) {
    const bounds = span ? ` ${interval(span, (x) => number(x, 2))}` : "";
    parts.push(`the gold turns at d = ${number(star, 2)}${bounds}: the ceiling`);
  } else if (gold.reason) {
    parts.push(gold.reason);
  } else {
    parts.push(`no turn-over of the gold is shown below d = ${number(gold.d_max ?? 0, 2)}`);
  }
  const end = trajectory.points[trajectory.points.length - 1];
  const gap = end && known(end.gap);
  const ci = end && known(end.gap_ci);
  if (gap !== undefined) {
    const bounds = ci ? ` ${interval(ci, (x) => signed(x, 2))}` : "";
    parts.push(`at the end the proxy is ${signed(gap, 2)}${bounds} deviations ahead of ${gold ? "it" : "the gold"}`);
  }
  return `${parts[0]}: ${parts.slice(1).join("; ")}.`;
}

function sources({ version, command, measure }: MismatchReport): HTMLElement {
  return provenance(
    version,
    command,
    ...entry(
      "Intervals",
      `${percent(measure.level)}, ${measure.resamples} resamples of the prompts, seed ${measure.seed}`,
    ),
    ...measure.runs.flatMap((run) =>
      entry(
        run.name,
        `${count(run.samples, "sample")} of ${count(run.prompts, "prompt")} at ${count(run.steps, "step")}, `,
        run.file,
        h("br"),
        hash(run.sha256),
        ...starts(run),
      ),
    ),
  );
}

function starts(run: Run): Node[] {
  const start = run.trajectories[0]?.start;
  if (!start) return [];
  const correlation = said(start.correlation, start.correlation_ci, 2);
  const length = said(start.proxy_per_token, start.proxy_per_token_ci, 4);
  return [
    ...(correlation ? [h("br"), new Text(`Correlation of proxy and gold at the start: ${correlation}`)] : []),
    ...(length ? [h("br"), new Text(`A token adds to the proxy at equal gold: ${length}`)] : []),
  ];
}
