// What a reader sees of every figure, at the widths of a telephone, a page of paper, a tablet and a screen.
import assert from "node:assert/strict";
import { settled } from "./settled.mjs";

const kWidths = [360, 688, 768, 1280];

/** What is wrong with the drawings that stand on the page, in words. Runs inside the page. */
function faults() {
  const found = [];
  const short = (text) => text.textContent.slice(0, 40);
  const shared = (a, b) => [
    Math.min(a.right, b.right) - Math.max(a.left, b.left),
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
  ];
  const onPage = (element) => [element, element.getBoundingClientRect()];
  for (const svg of document.querySelectorAll(".chart > svg")) {
    const report = (what) => found.push(`${svg.closest("figure").id}: ${what}`);
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter(short).map(onPage);
    const marks = [...svg.querySelectorAll("circle, path, line, rect")]
      .filter((mark) => !mark.closest("defs, clipPath"))
      .map(onPage)
      .filter(([, box]) => box.width + box.height > 0);
    for (const [element, box] of [...texts, ...marks]) {
      const out = Math.max(frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom);
      if (out > 2) report(`${element.tagName} "${short(element)}" is ${Math.round(out)} px outside`);
    }
    texts.forEach(([text, box], at) => {
      for (const [other, its] of texts.slice(at + 1)) {
        const [x, y] = shared(box, its);
        if (x > 1 && y > 4) report(`"${short(text)}" lies on "${short(other)}"`);
      }
    });
    const dots = svg.querySelectorAll(":is(.score, .interval, .human, .human-interval, .models, .rank, .verdicts, .points) > *");
    for (const [, box] of [...dots].map(onPage)) {
      const hit = texts.find(([, its]) => shared(box, its).every((much) => much > (box.height ? 3 : -0.5)));
      if (hit) report(`a mark lies on "${short(hit[0])}"`);
    }
    for (const axis of svg.querySelectorAll("g[aria-label='x-axis tick label']")) {
      const ticks = [...axis.querySelectorAll("text")].filter(short).map((text) => [
        text.getBoundingClientRect().left,
        Number(text.textContent.replace("−", "-").replaceAll(",", "")),
      ]);
      const rising = ticks.every(([x, value], at) => at === 0 || (x > ticks[at - 1][0] && !(value <= ticks[at - 1][1])));
      if (ticks.length < 2 || !rising) report(`its axis reads ${ticks.map(([, value]) => value)}`);
    }
  }
  return [...new Set(found)];
}

export const figureChecks = {
  async "figures keep to their drawing, and no text lies on another or on a mark"(page) {
    for (const width of kWidths) {
      await page.setViewportSize({ width, height: 900 });
      await settled(page);
      assert.deepEqual(await page.evaluate(faults), [], `at ${width} px`);
    }
  },

  async "figures do so on paper"(page) {
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 688, height: 900 });
    await settled(page);
    await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
    assert.deepEqual(await page.evaluate(faults), []);
  },

  async "every sign of a legend differs from the others"(page) {
    for (const legend of await page.locator(".legend").all()) {
      const signs = await legend.locator("svg").evaluateAll((all) => all.map((one) => one.outerHTML));
      assert.equal(new Set(signs).size, signs.length, await legend.innerText());
    }
  },
};
