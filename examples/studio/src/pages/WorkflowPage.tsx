import * as Tabs from "@radix-ui/react-tabs";
import { useExecutions } from "@spanloom/react-core";
import { TraceTabContent, TraceTabTrigger } from "@spanloom/react-trace/radix";
import type { ReactElement } from "react";
import { Link, useSearchParams } from "wouter";
import { ExecutionPicker } from "../parts/ExecutionPicker.tsx";
import { ExecutionTab } from "../parts/ExecutionTab.tsx";
import { StartForm } from "../parts/StartForm.tsx";
import { useWorkflows } from "../workflows.tsx";
import { NotFoundPage } from "./NotFoundPage.tsx";

const tabs = ["overview", "execution", "trace"];

/** The address says which tab, execution and span are shown, so that a link shows a colleague the same. */
export function WorkflowPage({ workflowId }: { workflowId: string }): ReactElement {
  const workflow = useWorkflows().find(({ id }) => id === workflowId);
  const [params, setParams] = useSearchParams();
  const executions = useExecutions({ workflowId, limit: 25 }).data?.items ?? [];
  const executionId = params.get("execution") ?? executions[0]?.executionId;
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
      <div className="page-title">
        <h1>{workflow.name}</h1>
        {executionId === undefined ? null : (
          <>
            <ExecutionPicker
              executions={executions}
              executionId={executionId}
              onPick={(id) => show({ execution: id, span: undefined })}
            />
            <Link className="quiet-link" href={`/runs/${executionId}`}>
              Run metrics
            </Link>
          </>
        )}
      </div>
      <Tabs.Root value={tab} onValueChange={(next) => show({ tab: next, execution: executionId })}>
        <Tabs.List className="tabs" aria-label={workflow.name}>
          <Tabs.Trigger value="overview">Overview</Tabs.Trigger>
          <Tabs.Trigger value="execution">Execution</Tabs.Trigger>
          <TraceTabTrigger value="trace" />
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
