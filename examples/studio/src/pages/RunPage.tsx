import { RunMetrics } from "@spanloom/react-analytics";
import { useExecution } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { Link } from "wouter";

export function RunPage({ executionId }: { executionId: string }): ReactElement {
  const workflowId = useExecution(executionId).data?.workflowId;
  return (
    <>
      <div className="page-title">
        <h1>Run</h1>
        {workflowId === undefined ? null : (
          <Link
            className="quiet-link"
            href={`/workflows/${encodeURIComponent(workflowId)}?tab=trace&execution=${executionId}`}
          >
            Open its trace
          </Link>
        )}
      </div>
      <RunMetrics executionId={executionId} />
    </>
  );
}
