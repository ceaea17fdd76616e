import { useLayoutEffect, useState } from "react";

/** How many panes stand side by side: by the panel's own width, whatever the window's. */
export type PanelLayout = "wide" | "medium" | "narrow";

const WIDE_PX = 900;
const MEDIUM_PX = 600;

/** Measures before the first paint, then on every change of size. Renders again only when the layout changes. */
export function usePanelLayout(element: HTMLElement | null): PanelLayout {
  const [layout, setLayout] = useState<PanelLayout>("wide");
  useLayoutEffect(() => {
    if (element === null) return;
    setLayout(layoutFor(element.clientWidth));
    const observer = new ResizeObserver(() => setLayout(layoutFor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return layout;
}

function layoutFor(widthPx: number): PanelLayout {
  if (widthPx >= WIDE_PX) return "wide";
  return widthPx >= MEDIUM_PX ? "medium" : "narrow";
}
