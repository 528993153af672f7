/** Where gold is lost: the stages of each run that was swapped. */
import { h } from "../dom";
import { kSigns, legend } from "../figures/figure";
import { swapTable } from "../links/tables";
import { bounded, type RunSwap } from "./data";
import { forest, type ForestRow } from "./forest";

function rows(swaps: RunSwap[]): ForestRow[] {
  return swaps.flatMap(({ run, swap }) =>
    swap.flatMap(({ stage, loss, ci }): ForestRow[] => {
      if (!bounded(loss, ci)) return [];
      const apart = ci !== null && (ci[0] > 0 || ci[1] < 0);
      const look = !apart ? "insufficient" : loss > 0 ? "inverted" : "aligned";
      return [{ name: `${run}: ${stage}`, value: loss, ci, look }];
    }),
  );
}

export function swapsParts(swaps: RunSwap[]): Node[] {
  const all = rows(swaps);
  const drawn = forest({
    id: "figure-swaps",
    title: "Gold lost at each stage",
    caption:
      "The gain in gold that is missed against the best there is in place of one stage: the gold for the reward model (the same optimiser trained on it), " +
      "best of n for the optimiser at equal gain of the proxy. Below 0 the stage does better than its replacement.",
    legend: legend([
      [kSigns.circle, "solid inverted", "gold is lost"],
      [kSigns.circle, "solid aligned", "gold is saved"],
      [kSigns.circle, "solid insufficient", "not apart from 0"],
    ]),
    rows: all,
    x: "gold lost →",
    at: 0,
  });
  const reasons = swaps.flatMap(({ run, swap_reason: reason }) => (reason ? [h("p", {}, `${run}: ${reason}.`)] : []));
  const tables = swaps.flatMap((one) => swapTable(one, one.run) ?? []);
  return [...(all.length > 0 ? [drawn] : []), ...reasons, ...tables];
}
