import { type ExecutionSort, type ExecutionSummary, isTerminal, millisOf } from "@spanloom/model";
import { StatusMark, useFormat, useMessages, useNow } from "@spanloom/react-core";
import { type ColumnDef, rowExpandingFeature, rowSortingFeature, tableFeatures } from "@tanstack/react-table";
import type { ReactElement } from "react";
import { CostFigure } from "../CostFigure.tsx";
import { analyticsMessages } from "../messages.ts";

export interface HistoryFeatures {
  rowSortingFeature: typeof rowSortingFeature;
  rowExpandingFeature: typeof rowExpandingFeature;
}

/** The store sorts and pages; the table library keeps order, rows and what is open. */
export const historyFeatures: HistoryFeatures = tableFeatures({ rowSortingFeature, rowExpandingFeature });

type HistoryColumn = ColumnDef<HistoryFeatures, ExecutionSummary, unknown>;

/** Ids are those that a store sorts by. Figures and dates are sorted from the top first, words from A. */
export const historyColumns: HistoryColumn[] = [
  column("startTime", "desc", DateCell),
  column("workflowName", "asc", WorkflowCell),
  column("status", "asc", ({ execution }) => <StatusMark status={execution.status} />),
  column("durationMs", "desc", DurationCell),
  column("cost", "desc", ({ execution }) => <CostFigure cost={execution.cost} />),
  column("nodeCount", "desc", NodesCell),
];

type HistorySort = Exclude<ExecutionSort, "spanCount">;
type Cell = (props: { execution: ExecutionSummary }) => ReactElement;

function column(id: HistorySort, first: "asc" | "desc", CellContent: Cell): HistoryColumn {
  return {
    id,
    accessorFn: (execution) => execution[id],
    sortDescFirst: first === "desc",
    header: () => <Head id={id} />,
    cell: ({ row }) => <CellContent execution={row.original} />,
  };
}

function Head({ id }: { id: HistorySort }): ReactElement {
  const t = useMessages(analyticsMessages);
  return <>{t(`history.${id}`)}</>;
}

function DateCell({ execution }: { execution: ExecutionSummary }): ReactElement {
  const format = useFormat();
  return (
    <time dateTime={new Date(millisOf(execution.startTime)).toISOString()}>
      {format.dateTime(execution.startTime)}
    </time>
  );
}

function WorkflowCell({ execution }: { execution: ExecutionSummary }): ReactElement {
  const name = nameOf(execution);
  return (
    <bdi className="sl-history-name" title={`${name} · ${execution.executionId}`}>
      {name}
    </bdi>
  );
}

/** An execution that goes on counts by the second; one that ended without an end has no known duration. */
function DurationCell({ execution }: { execution: ExecutionSummary }): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const running = !isTerminal(execution.status);
  const now = useNow(1_000, running);
  if (!running) return <>{format.duration(execution.durationMs)}</>;
  const elapsedMs = Math.max(0, now - millisOf(execution.startTime));
  return (
    <span className="sl-dim" title={t("history.soFar")}>
      {format.duration(Math.floor(elapsedMs / 1000) * 1000)}
    </span>
  );
}

function NodesCell({ execution }: { execution: ExecutionSummary }): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  return (
    <>
      <span className="sl-wide-only">{format.count(execution.nodeCount)}</span>
      <span className="sl-narrow-only">{t("history.nodes", { count: execution.nodeCount })}</span>
    </>
  );
}

/** What people call an execution: its workflow, else its id. */
export function nameOf({ workflowName, workflowId, executionId }: ExecutionSummary): string {
  return workflowName ?? workflowId ?? executionId;
}
