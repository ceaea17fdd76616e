import { RunMetrics } from "@spanloom/react-analytics";
import { CorrelationChip, PanelRoot, StatusMark, useExecution } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { Link } from "wouter";

export function RunPage({ executionId }: { executionId: string }): ReactElement {
  const { data } = useExecution(executionId);
  return (
    <>
      <PanelRoot label="Run" className="run-title">
        <h1>{data?.workflowName ?? "Run"}</h1>
        {data === undefined ? null : <StatusMark status={data.status} />}
        <CorrelationChip id={executionId} kind="execution" />
        {data?.workflowId === undefined ? null : (
          <Link
            className="quiet-link"
            href={`/workflows/${encodeURIComponent(data.workflowId)}?tab=trace&execution=${executionId}`}
          >
            Open its trace
          </Link>
        )}
      </PanelRoot>
      <RunMetrics executionId={executionId} />
    </>
  );
}
