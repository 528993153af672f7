/** A node of the tree that the server makes of Markdown: no HTML, and texts are texts here as well. */
export interface MarkdownNode {
  type: string;
  text?: string;
  href?: string;
  level?: number;
  ordered?: boolean;
  start?: number;
  header?: boolean;
  children?: MarkdownNode[];
}
