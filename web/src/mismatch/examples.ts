/** Completions of the same prompts, stage by stage side by side. */
import { known } from "../data";
import { h } from "../dom";
import { sized, visible } from "../format";
import type { Details, Run, Sample } from "./data";

const kNone = "none of this step";

function scores(sample: Sample): string {
  const parts = (["proxy", "gold"] as const).flatMap((name) => {
    const value = known(sample[name]);
    return value === undefined ? [] : [`${name} ${sized([value])(value)}`];
  });
  return parts.join(", ");
}

/** As it was written, indented as it was: without the blank lines around it and the blank that most begin with. */
function written(text: string): string {
  return text.replace(/^(\s*\n)+/, "").replace(/^ (?! )/, "").trimEnd();
}

function completion(sample: Sample | null): Node[] {
  if (!sample) return [h("p", { class: "absent" }, kNone)];
  const said = scores(sample);
  return [
    h("p", { dir: "auto", class: "completion" }, visible(written(sample.completion))),
    h("p", { class: "scores" }, said),
  ];
}

export function examplesSection(run: Pick<Run, "name">, { examples }: Pick<Details, "examples">): HTMLElement | undefined {
  const { stages, prompts } = examples;
  if (stages.length === 0 || prompts.length === 0) return undefined;
  const blocks = prompts.map(({ prompt, samples }) =>
    h(
      "div",
      { class: "example" },
      h("p", { class: "prompt", dir: "auto" }, prompt),
      h(
        "div",
        { class: "stages" },
        ...stages.map(({ name, step, note }, i) =>
          h(
            "div",
            { class: "stage" },
            h("h4", {}, `${name}, step ${step}`, note ? h("small", {}, ` ${note}`) : undefined),
            ...completion(samples[i] ?? null),
          ),
        ),
      ),
    ),
  );
  return h(
    "section",
    { class: "table examples" },
    h("h3", {}, run.name),
    h(
      "p",
      {},
      "Prompts drawn at random; of each the first completion of the stage, not a chosen one, unless it says so.",
    ),
    ...blocks,
  );
}
