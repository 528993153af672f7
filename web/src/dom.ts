/** Builds elements. Text from the data only ever becomes text nodes, never markup. */

type Child = Node | string | undefined | false;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** The parts of a long name, each ending in the mark that joins it to the next. */
export function pieces(text: string): string[] {
  return text.split(/(?<=[_/-])(?=\w)|(?<=[a-z])(?=[A-Z][a-z])/);
}

/** The text with places to break a line between its parts. */
export function breakable(text: string): Node[] {
  return pieces(text).flatMap((part, at) => (at > 0 ? [h("wbr"), new Text(part)] : [new Text(part)]));
}
