import * as Tabs from "@radix-ui/react-tabs";
import { CostChart, ExecutionHistoryTable } from "@spanloom/react-analytics";
import type { ReactElement } from "react";
import { useSearchParams } from "wouter";
import { ExecutionList } from "../parts/ExecutionList.tsx";

export function MonitoringPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const tab = params.get("tab") === "running" ? "running" : "analytics";
  return (
    <>
      <h1>Monitoring</h1>
      <Tabs.Root value={tab} onValueChange={(next) => setParams({ tab: next })}>
        <Tabs.List className="tabs" aria-label="Monitoring">
          <Tabs.Trigger value="running">Running now</Tabs.Trigger>
          <Tabs.Trigger value="analytics">Analytics</Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="running">
          <ExecutionList
            label="Running now"
            query={{ status: ["queued", "running", "waiting"], limit: 50 }}
            href={({ executionId }) => `/runs/${executionId}`}
            empty={{ title: "Nothing is running", hint: "Start a workflow with slow models to see it here." }}
          />
        </Tabs.Content>
        <Tabs.Content value="analytics" className="analytics">
          <CostChart />
          <ExecutionHistoryTable />
        </Tabs.Content>
      </Tabs.Root>
    </>
  );
}
