import { type RefObject, useLayoutEffect, useState } from "react";

const DEFAULT_ROW_PX = 28;

/**
 * The height that `--spanloom-row-height` comes to, read off the header row: virtual rows need it in pixels. What lies
 * over the grid learns the width of its scroll bar from the variable `--sl-scrollbar`.
 */
export function useGridMetrics(
  root: RefObject<HTMLElement | null>,
  scroller: RefObject<HTMLElement | null>,
  header: RefObject<HTMLElement | null>,
): number {
  const [rowHeight, setRowHeight] = useState(DEFAULT_ROW_PX);
  useLayoutEffect(() => {
    const head = header.current;
    const box = scroller.current;
    if (head === null || box === null) return;
    const read = (): void => {
      const measured = head.offsetHeight;
      if (measured > 0) setRowHeight(measured);
      root.current?.style.setProperty("--sl-scrollbar", `${box.offsetWidth - box.clientWidth}px`);
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(head);
    return () => observer.disconnect();
  }, [root, scroller, header]);
  return rowHeight;
}
