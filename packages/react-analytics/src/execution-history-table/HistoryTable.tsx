import type { ExecutionSummary } from "@spanloom/model";
import { useMessages } from "@spanloom/react-core";
import { type Header, type SortingState, useTable } from "@tanstack/react-table";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import { type HistoryFeatures, historyColumns, historyFeatures } from "./columns.tsx";
import { HistoryRow } from "./HistoryRow.tsx";

export interface HistoryTableProps {
  executions: ExecutionSummary[];
  sorting: SortingState;
  onSortingChange: (sorting: SortingState) => void;
  onSelectExecution: ((executionId: string) => void) | undefined;
}

/** One page of executions in the order that the store gave them. */
export function HistoryTable(props: HistoryTableProps): ReactElement {
  const { executions, sorting, onSortingChange, onSelectExecution } = props;
  const t = useMessages(analyticsMessages);
  const table = useTable({
    features: historyFeatures,
    columns: historyColumns,
    data: executions,
    getRowId: (execution) => execution.executionId,
    state: { sorting },
    onSortingChange: (next) => onSortingChange(typeof next === "function" ? next(sorting) : next),
    manualSorting: true,
    enableSortingRemoval: false,
    enableMultiSort: false,
    getRowCanExpand: () => true,
    autoResetExpanded: false,
  });
  return (
    <table className="sl-table sl-history-table">
      <caption className="sl-visually-hidden">{t("history.label")}</caption>
      <thead>
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id}>
            <th scope="col" className="sl-history-toggle">
              <span className="sl-visually-hidden">{t("history.details")}</span>
            </th>
            {group.headers.map((header) => (
              <SortHead key={header.id} header={header} sorted={sortedBy(sorting, header.column.id)}>
                <table.FlexRender header={header} />
              </SortHead>
            ))}
            {onSelectExecution === undefined ? null : (
              <th scope="col" className="sl-history-open">
                <span className="sl-visually-hidden">{t("history.actions")}</span>
              </th>
            )}
          </tr>
        ))}
      </thead>
      <tbody>
        {table.getRowModel().rows.map((row) => (
          <HistoryRow
            key={row.id}
            execution={row.original}
            expanded={row.getIsExpanded()}
            onToggle={() => row.toggleExpanded()}
            onSelectExecution={onSelectExecution}
          >
            {row.getAllCells().map((cell) => (
              <td key={cell.id} className={classOf(cell.column.id)}>
                <table.FlexRender cell={cell} />
              </td>
            ))}
          </HistoryRow>
        ))}
      </tbody>
    </table>
  );
}

interface SortHeadProps {
  header: Header<HistoryFeatures, ExecutionSummary>;
  sorted: "asc" | "desc" | undefined;
  children: ReactElement;
}

function SortHead({ header, sorted, children }: SortHeadProps): ReactElement {
  return (
    <th
      scope="col"
      className={classOf(header.column.id)}
      aria-sort={sorted === undefined ? "none" : sorted === "asc" ? "ascending" : "descending"}
    >
      <button type="button" className="sl-sort" onClick={() => header.column.toggleSorting()}>
        {children}
        <svg className={`sl-sort-arrow sl-sort-${sorted ?? "none"}`} viewBox="0 0 8 8" aria-hidden="true">
          <path d={sorted === "asc" ? "M1 5.5 4 2.5 7 5.5" : "M1 2.5 4 5.5 7 2.5"} />
        </svg>
      </button>
    </th>
  );
}

function sortedBy(sorting: SortingState, id: string): "asc" | "desc" | undefined {
  const [first] = sorting;
  if (first?.id !== id) return undefined;
  return first.desc ? "desc" : "asc";
}

const FIGURES = ["durationMs", "cost", "nodeCount"];

function classOf(id: string): string {
  return FIGURES.includes(id) ? `sl-history-${id} sl-number` : `sl-history-${id}`;
}
