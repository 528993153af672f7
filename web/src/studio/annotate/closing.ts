/** Closes a dialog once, and at once: the event of closing comes later, and a key that is pressed meanwhile is one of the page's. */
export function closing(dialog: () => HTMLDialogElement | undefined, onclose: () => void): () => void {
  let closed = false;
  return () => {
    if (closed) return;
    closed = true;
    dialog()?.close();
    onclose();
  };
}
