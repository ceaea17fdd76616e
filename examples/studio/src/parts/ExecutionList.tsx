import type { CostSum, ListExecutionsQuery } from "@spanloom/model";
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
import { useDocumentTitle } from "../workflows.tsx";

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
  const titleOf = useDocumentTitle();
  /** A sum that leaves calls out is a lower bound. */
  const costOf = ({ nanoUsd, unpriced }: CostSum): string =>
    `${nanoUsd !== undefined && unpriced > 0 ? "≥ " : ""}${format.cost(nanoUsd)}`;
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
                  {query.workflowId === undefined ? `${execution.workflowName ?? "Unnamed"} · ` : ""}
                  {titleOf(execution)}
                </span>
                <StatusMark status={execution.status} />
                <span className="figures">
                  {format.dateTime(execution.startTime)}
                  {execution.durationMs === undefined ? "" : ` · ${format.duration(execution.durationMs)}`}
                  {` · ${costOf(execution.cost)}`}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </PanelRoot>
  );
}
