/** Where one is: the part of the address behind "#", which never reaches the server (an invitation's token stands there). */
function read(): string {
  const path = location.hash.replace(/^#\/?/, "");
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
let here = $state(read());

window.addEventListener("hashchange", () => (here = read()));

export const place = {
  get path(): string {
    return here;
  },
  go(path: string): void {
    location.hash = `/${path}`;
  },
};

/** The parts of `path` that stand for the words with a colon in `pattern`, "study/:study"; null where it is another path. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [i, word] of wanted.entries()) {
    const part = given[i] ?? "";
    if (word.startsWith(":")) found[word.slice(1)] = part;
    else if (word !== part) return null;
  }
  return found;
}
