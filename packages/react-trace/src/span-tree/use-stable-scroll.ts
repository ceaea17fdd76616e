import { type RefObject, useCallback, useLayoutEffect, useRef } from "react";
import { type ScrollAnchor, scrollTopFor, takeAnchor } from "../layout/scroll-anchor.ts";
import type { TraceModel } from "../layout/trace-model.ts";

export interface StableScrollOptions {
  scroller: RefObject<HTMLElement | null>;
  model: TraceModel;
  rows: Int32Array;
  rowHeight: number;
  live: boolean;
}

/** How close to the end counts as being there, in pixels. */
const BOTTOM_PX = 4;

/**
 * Keeps what the reader looks at where it is while rows come and go above it. Whoever stands at the very end of a live
 * trace follows it. Gives a way to bring a row into view, by the shortest way.
 */
export function useStableScroll(options: StableScrollOptions): (row: number) => void {
  const { scroller, model, rows, rowHeight, live } = options;
  const before = useRef<{ anchor: ScrollAnchor | undefined; atEnd: boolean }>(undefined);

  // What is in view changes with every scroll; it is read off when the rows are about to change.
  const shown = useRef({ model, rows, rowHeight });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const last = shown.current;
    if (before.current !== undefined && (last.rows !== rows || last.model !== model)) {
      const { anchor, atEnd } = before.current;
      const top =
        atEnd && live ? element.scrollHeight : anchor && scrollTopFor(anchor, model, rows, rowHeight);
      if (top !== undefined && Math.abs(top - element.scrollTop) >= 1) element.scrollTop = top;
    }
    shown.current = { model, rows, rowHeight };
    const take = (): void => {
      const now = shown.current;
      const { scrollTop, clientHeight, scrollHeight } = element;
      before.current = {
        anchor:
          scrollTop === 0
            ? undefined
            : takeAnchor(now.model, now.rows, scrollTop, clientHeight - now.rowHeight, now.rowHeight),
        atEnd: scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - BOTTOM_PX,
      };
    };
    take();
    element.addEventListener("scroll", take, { passive: true });
    return () => element.removeEventListener("scroll", take);
  }, [scroller, model, rows, rowHeight, live]);

  return useCallback(
    (row: number) => {
      const element = scroller.current;
      if (element === null) return;
      // The header row sticks to the top and covers one row's height.
      const view = element.clientHeight - rowHeight;
      const top = row * rowHeight;
      const offset = element.scrollTop;
      if (top < offset) element.scrollTop = offset - top > view ? top - view / 2 : top;
      else if (top + rowHeight > offset + view) {
        element.scrollTop = top + rowHeight - offset > 2 * view ? top - view / 2 : top + rowHeight - view;
      }
    },
    [scroller, rowHeight],
  );
}
