// The page that trace-tab.bench.ts builds and opens: it mounts what the query asks for and says how long that took.
import "@spanloom/react-core/styles.css";
import "@spanloom/react-trace/styles.css";
import type { SpanSkeleton, TraceReader } from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { ObservabilityProvider, useTrace } from "@spanloom/react-core";
import { TraceTab } from "@spanloom/react-trace";
import { createMemoryStore } from "@spanloom/store/memory";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { readerOf } from "./reader.ts";

declare global {
  interface Window {
    /** Resolves when the trace is in memory. */
    loaded: Promise<void>;
    /** Mounts and resolves after the frame that shows it, in milliseconds. */
    mount(): Promise<number>;
  }
}

const query = new URLSearchParams(location.search);
const spans = makeTrace({ spans: Number(query.get("spans")), content: false, executionId: "made" });
const reader: TraceReader = readerOf(createMemoryStore().forScope("bench"), spans);
let show: (node: ReactNode) => void;
let onLoaded: () => void;
window.loaded = new Promise((resolve) => {
  onLoaded = resolve;
});
window.mount = async () => {
  const node = query.get("what") === "plain" ? <PlainList spans={spans} /> : <TraceTab executionId="made" />;
  const start = performance.now();
  flushSync(() => show(node));
  await painted();
  return performance.now() - start;
};
createRoot(document.getElementById("root") as HTMLElement).render(
  <ObservabilityProvider store={reader} locale="en" timeZone="UTC">
    <Stage />
  </ObservabilityProvider>,
);

/** Holds the trace in memory, as a page does that was open before the panel was. */
function Stage(): ReactElement {
  const [shown, setShown] = useState<ReactNode>(null);
  const { complete } = useTrace("made");
  useEffect(() => {
    show = setShown;
    if (complete) onLoaded();
  }, [complete]);
  return <div style={{ blockSize: 900 }}>{shown}</div>;
}

/** The least that shows as many rows: what a panel is measured by. */
function PlainList({ spans }: { spans: readonly SpanSkeleton[] }): ReactElement {
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: spans.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 28,
    overscan: 6,
  });
  return (
    <div ref={scroller} style={{ blockSize: 900, overflow: "auto" }}>
      <div style={{ position: "relative", blockSize: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => (
          <div key={index} style={{ position: "absolute", transform: `translateY(${start}px)` }}>
            {spans[index]?.name} <b>{spans[index]?.kind}</b> <i>{spans[index]?.usage?.input}</i>
          </div>
        ))}
      </div>
    </div>
  );
}

function painted(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve();
      port2.postMessage(null);
    });
  });
}
