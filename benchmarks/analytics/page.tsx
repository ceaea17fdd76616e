// The page that analytics.bench.ts builds and opens: it mounts what the query asks for and says how long that took.
import "@spanloom/react-core/styles.css";
import "@spanloom/react-analytics/styles.css";
import type { TraceReader } from "@spanloom/model";
import { CostChart, ExecutionHistoryTable } from "@spanloom/react-analytics";
import { ObservabilityProvider, useDailyCosts, useExecutions } from "@spanloom/react-core";
import { createMemoryStore } from "@spanloom/store/memory";
import { type ReactElement, type ReactNode, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { PlainChart, PlainTable } from "./PlainViews.tsx";
import { sampleCosts, samplePage } from "./sample.ts";

declare global {
  interface Window {
    /** Resolves when the answers are in memory. */
    loaded: Promise<void>;
    /** Mounts and resolves after the frame that shows it, in milliseconds. */
    mount(): Promise<number>;
  }
}

const DAYS = 30;
const costs = sampleCosts(DAYS * 2, 8);
const page = samplePage(50);
const store = createMemoryStore().forScope("bench");
const reader: TraceReader = Object.assign(Object.create(store), {
  getDailyCosts: async () => costs,
  listExecutions: async () => page,
});
const views: Record<string, () => ReactElement> = {
  chart: () => <CostChart defaultDays={DAYS} defaultGroupBy="workflow" />,
  "plain-chart": () => <PlainChart costs={costs} days={DAYS} />,
  table: () => <ExecutionHistoryTable />,
  "plain-table": () => <PlainTable executions={page.items} />,
};
const view = views[new URLSearchParams(location.search).get("what") ?? ""];
let show: (node: ReactNode) => void;
let onLoaded: () => void;
window.loaded = new Promise((resolve) => {
  onLoaded = resolve;
});
window.mount = async () => {
  if (view === undefined) throw new Error("The page was not told what to show.");
  const start = performance.now();
  flushSync(() => show(view()));
  await painted();
  return performance.now() - start;
};
createRoot(document.getElementById("root") as HTMLElement).render(
  <ObservabilityProvider store={reader} locale="en" timeZone="UTC">
    <Stage />
  </ObservabilityProvider>,
);

/** Holds the answers in memory, as a page does that was open before the panel was. */
function Stage(): ReactElement {
  const [shown, setShown] = useState<ReactNode>(null);
  const chart = useDailyCosts({ days: DAYS * 2, timeZone: "UTC", groupBy: "workflow" });
  const list = useExecutions({ limit: 50, sort: { by: "startTime", direction: "desc" } });
  const ready = chart.status === "ready" && list.status === "ready";
  useEffect(() => {
    show = setShown;
    if (ready) onLoaded();
  }, [ready]);
  return <div>{shown}</div>;
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
