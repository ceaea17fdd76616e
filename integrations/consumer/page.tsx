// A host's page as the READMEs have it.
import { CostChart, ExecutionHistoryTable, RunMetrics } from "@spanloom/react-analytics";
import { ObservabilityProvider } from "@spanloom/react-core";
import { TraceTab } from "@spanloom/react-trace";
import { createHttpStore } from "@spanloom/store/http";
import { type ReactElement, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import "@spanloom/react-core/styles.css";
import "@spanloom/react-trace/styles.css";
import "@spanloom/react-analytics/styles.css";

const store = createHttpStore({ baseUrl: "/api/spanloom" });

function Page(): ReactElement {
  const [executionId, setExecutionId] = useState<string>();
  return (
    <ObservabilityProvider store={store}>
      <CostChart />
      <ExecutionHistoryTable onSelectExecution={setExecutionId} />
      <TraceTab executionId={executionId} />
      {executionId !== undefined && <RunMetrics executionId={executionId} />}
    </ObservabilityProvider>
  );
}

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element with the id root.");
createRoot(root).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
