import * as Tabs from "@radix-ui/react-tabs";
import { useExecutions } from "@spanloom/react-core";
import { TraceTabContent, TraceTabTrigger } from "@spanloom/react-trace/radix";
import type { ReactElement } from "react";
import { Link, useSearchParams } from "wouter";
import { ExecutionTab } from "../parts/ExecutionTab.tsx";
import { StartForm } from "../parts/StartForm.tsx";
import { useWorkflows } from "../workflows.tsx";
import { NotFoundPage } from "./NotFoundPage.tsx";

const tabs = ["overview", "execution", "trace"];

/** The address says which tab, execution and span are shown, so that a link shows a colleague the same. */
export function WorkflowPage({ workflowId }: { workflowId: string }): ReactElement {
  const workflow = useWorkflows().find(({ id }) => id === workflowId);
  const [params, setParams] = useSearchParams();
  const latest = useExecutions({ workflowId, limit: 1 }).data?.items[0]?.executionId;
  const executionId = params.get("execution") ?? latest;
  const tab = tabs.find((name) => name === params.get("tab")) ?? "overview";
  if (!workflow) return <NotFoundPage />;

  const show = (changes: Record<string, string | undefined>, replace = false): void =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes)) {
          if (value === undefined) next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace },
    );

  return (
    <>
      <h1>{workflow.name}</h1>
      <Tabs.Root value={tab} onValueChange={(next) => show({ tab: next, execution: executionId })}>
        <Tabs.List className="tabs" aria-label={workflow.name}>
          <Tabs.Trigger value="overview">Overview</Tabs.Trigger>
          <Tabs.Trigger value="execution">Execution</Tabs.Trigger>
          <TraceTabTrigger value="trace" />
          {executionId === undefined ? null : (
            <Link className="quiet-link" href={`/runs/${executionId}`}>
              Run metrics
            </Link>
          )}
        </Tabs.List>
        <Tabs.Content value="overview" className="overview">
          <p>{workflow.description}</p>
          <StartForm workflow={workflow} />
        </Tabs.Content>
        <Tabs.Content value="execution">
          <ExecutionTab workflowId={workflowId} executionId={executionId} />
        </Tabs.Content>
        <TraceTabContent
          value="trace"
          className="trace"
          executionId={executionId}
          selectedSpanId={params.get("span")}
          onSelectedSpanChange={(span) => show({ execution: executionId, span }, true)}
          artifactHref={(artifact) =>
            `/api/studio/artifacts/${executionId}/${encodeURIComponent(artifact.artifactId)}`
          }
        />
      </Tabs.Root>
    </>
  );
}
