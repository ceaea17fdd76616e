import { ObservabilityProvider } from "@spanloom/react-core";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { CostBreakdown, CostChart, ExecutionHistoryTable, RunMetrics } from "./index.ts";
import { storeWith } from "./panel.test-support.tsx";

test("a server renders every panel in its loading state", async () => {
  const html = renderToString(
    <ObservabilityProvider store={await storeWith([])} locale="en-US" timeZone="UTC">
      <CostChart />
      <ExecutionHistoryTable />
      <CostBreakdown executionId="e1" />
      <RunMetrics executionId="e1" />
    </ObservabilityProvider>,
  );
  expect(html.match(/<section/g)).toHaveLength(4);
  expect(html.match(/Loading/g)).toHaveLength(4);
});
