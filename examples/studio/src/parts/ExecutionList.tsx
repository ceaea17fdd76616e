import type { ListExecutionsQuery } from "@spanloom/model";
import {
  EmptyState,
  ErrorState,
  NotPermittedState,
  PanelRoot,
  SkeletonRows,
  StatusMark,
  useExecutions,
  useFormat,
} from "@spanloom/react-core";
import type { ReactElement } from "react";
import { Link } from "wouter";

export interface ExecutionListProps {
  label: string;
  query: ListExecutionsQuery;
  /** Where an execution leads. */
  href(execution: { executionId: string; workflowId?: string }): string;
  selectedId?: string;
  empty: { title: string; hint: string };
}

/** The latest executions, each a link. */
export function ExecutionList({ label, query, href, selectedId, empty }: ExecutionListProps): ReactElement {
  const { status, data, error, retry } = useExecutions(query);
  const format = useFormat();
  return (
    <PanelRoot label={label} className="execution-list" busy={status === "loading"}>
      {status === "not-permitted" ? (
        <NotPermittedState />
      ) : status === "error" ? (
        <ErrorState error={error} onRetry={retry} />
      ) : data === undefined ? (
        <SkeletonRows rows={5} />
      ) : data.items.length === 0 ? (
        <EmptyState title={empty.title} hint={empty.hint} />
      ) : (
        <ul>
          {data.items.map((execution) => (
            <li key={execution.executionId}>
              <Link
                href={href(execution)}
                aria-current={execution.executionId === selectedId ? "true" : undefined}
              >
                <span className="execution-name">
                  {query.workflowId === undefined ? `${execution.workflowName ?? "Unnamed"}, ` : ""}
                  {format.dateTime(execution.startTime)}
                </span>
                <StatusMark status={execution.status} />
                <span className="figures">
                  {execution.durationMs === undefined ? "" : `${format.duration(execution.durationMs)} · `}
                  {execution.cost.priced > 0 && execution.cost.unpriced > 0 ? "≥ " : ""}
                  {format.cost(execution.cost.nanoUsd)}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </PanelRoot>
  );
}
