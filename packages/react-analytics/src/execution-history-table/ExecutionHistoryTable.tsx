import type { ExecutionSummary, Page } from "@spanloom/model";
import { isSpanloomError } from "@spanloom/model";
import {
  EmptyState,
  ErrorState,
  NotPermittedState,
  PanelRoot,
  SkeletonRows,
  useExecutions,
  useMessages,
} from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import { HistoryPages } from "./HistoryPages.tsx";
import { HistoryTable } from "./HistoryTable.tsx";
import { HistoryToolbar } from "./HistoryToolbar.tsx";
import { type HistoryQuery, useHistoryQuery } from "./use-history-query.ts";

export interface ExecutionHistoryTableProps {
  /** Called when the reader opens an execution. Absent, rows only unfold. */
  onSelectExecution?: (executionId: string) => void;
  /** Only this workflow. */
  workflowId?: string;
  /** Executions on a page, 1 to 500; 50 where absent. */
  pageSize?: number;
}

/** Recent executions with duration, cost and status, newest first; a row unfolds to what each node cost. */
export function ExecutionHistoryTable(props: ExecutionHistoryTableProps): ReactElement {
  const { onSelectExecution, workflowId, pageSize = 50 } = props;
  const t = useMessages(analyticsMessages);
  const history = useHistoryQuery(workflowId, pageSize);
  const { status, data, error, retry, lastSyncedAt, outdated } = useExecutions(history.query);
  // A cursor that a store no longer reads leads back to the first page, not into the same error.
  const tryAgain = isSpanloomError(error) && error.code === "invalid_cursor" ? history.first : retry;
  return (
    <PanelRoot
      label={t("history.label")}
      className="sl-history"
      busy={status === "loading" || outdated === true}
    >
      <HistoryToolbar
        history={history}
        executions={data?.items ?? []}
        lastSyncedAt={lastSyncedAt}
        stale={error !== undefined}
      />
      {status === "not-permitted" ? (
        <NotPermittedState />
      ) : status === "error" ? (
        <ErrorState error={error} onRetry={tryAgain} />
      ) : data === undefined ? (
        <SkeletonRows rows={8} />
      ) : data.items.length === 0 && history.cursors.length === 0 ? (
        <NoExecutions history={history} />
      ) : (
        <FilledTable
          page={data}
          outdated={outdated === true}
          history={history}
          pageSize={pageSize}
          onSelectExecution={onSelectExecution}
        />
      )}
    </PanelRoot>
  );
}

interface FilledTableProps {
  page: Page<ExecutionSummary>;
  outdated: boolean;
  history: HistoryQuery;
  pageSize: number;
  onSelectExecution: ExecutionHistoryTableProps["onSelectExecution"];
}

function FilledTable(props: FilledTableProps): ReactElement {
  const { page, outdated, history, pageSize, onSelectExecution } = props;
  return (
    <>
      <div className={outdated ? "sl-table-scroll sl-outdated" : "sl-table-scroll"}>
        <HistoryTable
          executions={page.items}
          sorting={history.sorting}
          onSortingChange={(sorting) => history.ask({ sorting })}
          onSelectExecution={onSelectExecution}
        />
      </div>
      <HistoryPages page={page} outdated={outdated} history={history} pageSize={pageSize} />
    </>
  );
}

function NoExecutions({ history }: { history: HistoryQuery }): ReactElement {
  const t = useMessages(analyticsMessages);
  if (history.text === "" && history.status === undefined) {
    return <EmptyState title={t("history.empty")} hint={t("history.emptyHint")} />;
  }
  return (
    <EmptyState
      title={t("history.noMatch")}
      hint={
        <>
          {t("history.noMatchHint")}{" "}
          <button type="button" className="sl-text-button" onClick={history.clear}>
            {t("history.clear")}
          </button>
        </>
      }
    />
  );
}
