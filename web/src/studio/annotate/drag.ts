/** Dragging by mouse or pen. Fingers scroll: on touch screens everything that can be dragged can be tapped and moved by buttons. */

export interface Drag {
  enabled: () => boolean;
  /** `target`: what the pointer was over. */
  drop: (target: Element | null) => void;
  start?: () => void;
}

const kThreshold = 6;

/** Marked while the pointer is over them. */
const kTargets = "[data-candidate], [data-end], [data-group]";

export function draggable(drag: Drag): (node: HTMLElement) => () => void {
  return (node) => {
    const down = (event: PointerEvent) => {
      const control = event.target instanceof Element && event.target.closest("button, input, a");
      if (event.button !== 0 || event.pointerType === "touch" || (control && control !== node) || !drag.enabled()) return;
      follow(node, event, drag);
    };
    node.addEventListener("pointerdown", down);
    return () => node.removeEventListener("pointerdown", down);
  };
}

function follow(node: HTMLElement, from: PointerEvent, drag: Drag): void {
  let ghost: HTMLElement | null = null;
  let target: Element | null = null;
  const aim = (next: Element | null) => {
    if (next === target) return;
    target?.classList.remove("drop-target");
    target = next;
    target?.classList.add("drop-target");
  };
  const begin = () => {
    drag.start?.();
    const box = node.getBoundingClientRect();
    ghost = node.cloneNode(true) as HTMLElement;
    ghost.classList.add("ghost");
    ghost.removeAttribute("id");
    ghost.setAttribute("aria-hidden", "true");
    ghost.style.width = `${box.width}px`;
    ghost.style.left = `${box.left}px`;
    ghost.style.top = `${box.top}px`;
    document.body.append(ghost);
  };
  const move = (event: PointerEvent) => {
    const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
    if (!ghost && Math.hypot(x, y) < kThreshold) return;
    if (!ghost) begin();
    if (ghost) ghost.style.transform = `translate(${x}px, ${y}px)`;
    aim(document.elementFromPoint(event.clientX, event.clientY)?.closest(kTargets) ?? null);
  };
  const end = (event: Event) => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", end);
    window.removeEventListener("pointercancel", end);
    window.removeEventListener("keydown", escape, true);
    const over = target;
    aim(null);
    if (!ghost) return;
    ghost.remove();
    swallowClick();
    if (event.type === "pointerup") drag.drop(over);
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    end(new Event("pointercancel"));
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", end);
  window.addEventListener("pointercancel", end);
  window.addEventListener("keydown", escape, true);
}

/** The click that follows a drag is none. */
function swallowClick(): void {
  const stop = (event: Event) => event.stopPropagation();
  window.addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => window.removeEventListener("click", stop, { capture: true }));
}
