/** Lays out the report of `plumb report` from the data in the page: published results, single answers, or runs. */
import "./style.css";
import { readReport, type AnyReport, type Finding, type Report } from "./data";
import { h } from "./dom";
import { percent } from "./format";
import { leaderboardFigure } from "./figures/leaderboard";
import { sensitivityFigure } from "./figures/sensitivity";
import { subsetsFigure } from "./figures/subsets";
import { fullPage } from "./full/page";
import { itemsPage } from "./items/page";
import { entry, hash, header, provenance, section } from "./layout";
import { linksPage } from "./links/page";
import { mismatchPage } from "./mismatch/page";
import { headline } from "./summary";
import { leaderboardTable, subsetsTable, viewsTable } from "./tables";

function page(report: Report): Node[] {
  const { leaderboard, gap, audit } = report;
  const found = audit.findings.length > 0;
  return [
    header(
      report.title,
      headline(report),
      kSections.filter(([id]) => found || id !== "findings"),
    ),
    section("leaderboard", "Leaderboard", leaderboardFigure(leaderboard)),
    section("subsets", "Human against models", subsetsFigure(gap)),
    section("sensitivity", "How firm the rank is", sensitivityFigure(audit.rows)),
    section(
      "tables",
      "Tables",
      h("p", { class: "hint" }, "A click on a column’s head sorts the table."),
      leaderboardTable(leaderboard),
      subsetsTable(gap),
      viewsTable(audit.rows, leaderboard.level),
    ),
    ...(found ? [section("findings", "Findings", findings(audit.findings))] : []),
    sources(report),
  ];
}

const kSections = [
  ["leaderboard", "Leaderboard"],
  ["subsets", "Subsets"],
  ["sensitivity", "Rank"],
  ["tables", "Tables"],
  ["findings", "Findings"],
  ["provenance", "Provenance"],
] as const;

function findings(all: Finding[]): HTMLElement {
  const item = ({ id, title, holds, evidence }: Finding) =>
    h(
      "li",
      { id: `finding-${id}` },
      h(
        "h3",
        {},
        title,
        " ",
        h("span", { class: holds ? "holds" : "fails" }, holds ? "holds" : "does not hold"),
      ),
      h("p", {}, evidence),
    );
  return h("ol", { class: "findings" }, ...all.map(item));
}

function sources({ version, command, inputs, leaderboard }: Report): HTMLElement {
  return provenance(
    version,
    command,
    ...entry("Intervals", `${percent(leaderboard.level)}, ${leaderboard.resampling}`),
    ...entry("Human", `rule “${leaderboard.human}”`),
    ...inputs.flatMap(({ name, sha256, origin, licence }) =>
      entry(`Input ${name}`, [origin, licence].filter(Boolean).join(", "), h("br"), hash(sha256)),
    ),
  );
}

function pageOf(report: AnyReport): Node[] {
  switch (report.schema) {
    case "plumb.items-report/1":
      return itemsPage(report);
    case "plumb.mismatch-report/1":
      return mismatchPage(report);
    case "plumb.links-report/1":
      return linksPage(report);
    case "plumb.full-report/1":
      return fullPage(report);
    default:
      return page(report);
  }
}

const root = document.getElementById("report") as HTMLElement;
try {
  const report = readReport();
  document.title = `${report.title} – plumb`;
  root.replaceChildren(...pageOf(report));
} catch (error) {
  root.replaceChildren(h("p", { role: "alert" }, (error as Error).message));
}
