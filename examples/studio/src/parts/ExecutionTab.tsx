import {
  EmptyState,
  ErrorState,
  PanelRoot,
  SkeletonRows,
  StatusMark,
  useExecution,
  useFormat,
} from "@spanloom/react-core";
import type { ReactElement } from "react";
import { useSearchParams } from "wouter";
import { ExecutionList } from "./ExecutionList.tsx";

export interface ExecutionTabProps {
  workflowId: string;
  executionId: string | undefined;
}

/** The host's own view of its executions: the list, and how far the selected one is. */
export function ExecutionTab({ workflowId, executionId }: ExecutionTabProps): ReactElement {
  const [params] = useSearchParams();
  return (
    <div className="execution-tab">
      <ExecutionList
        label="Executions"
        query={{ workflowId, limit: 25 }}
        selectedId={executionId}
        href={(execution) => {
          const next = new URLSearchParams(params);
          next.set("execution", execution.executionId);
          next.delete("span");
          return `?${next}`;
        }}
        empty={{ title: "This workflow has not run yet", hint: "Start it under Overview." }}
      />
      <NodeList executionId={executionId} />
    </div>
  );
}

function NodeList({ executionId }: { executionId: string | undefined }): ReactElement {
  const { status, data, error, retry } = useExecution(executionId);
  const format = useFormat();
  return (
    <PanelRoot label="Nodes" className="node-list" busy={status === "loading"}>
      {status === "error" ? (
        <ErrorState error={error} onRetry={retry} />
      ) : status === "idle" || status === "not-found" ? (
        <EmptyState title="No execution is selected" hint="Select one to see how far it is." />
      ) : data === undefined ? (
        <SkeletonRows rows={6} />
      ) : (
        <table>
          <caption>
            {data.nodeCount} nodes, {data.spanCount} spans, {format.duration(data.durationMs)}
          </caption>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Status</th>
              <th scope="col">Attempts</th>
            </tr>
          </thead>
          <tbody>
            {data.nodes.map((node) => (
              <tr key={node.nodeId}>
                <th scope="row">{node.nodeId}</th>
                <td>
                  <StatusMark status={node.status} />
                </td>
                <td>{node.attempts}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </PanelRoot>
  );
}
