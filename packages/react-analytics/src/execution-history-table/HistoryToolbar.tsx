import { EXECUTION_STATUSES, type ExecutionSummary } from "@spanloom/model";
import { coreMessages, LastSyncedBadge, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import { executionsCsv } from "./executions-csv.ts";
import { saveFile } from "./save-file.ts";
import type { HistoryQuery } from "./use-history-query.ts";

export interface HistoryToolbarProps {
  history: HistoryQuery;
  /** What is shown, for the CSV. */
  executions: ExecutionSummary[];
  lastSyncedAt: number | undefined;
  stale: boolean;
}

/** Title, filters, download, freshness. */
export function HistoryToolbar(props: HistoryToolbarProps): ReactElement {
  const { history, executions, lastSyncedAt, stale } = props;
  const t = useMessages(analyticsMessages);
  const core = useMessages(coreMessages);
  return (
    <header className="sl-panel-header">
      <h2 className="sl-panel-title">{t("history.title")}</h2>
      <input
        className="sl-input sl-history-search"
        type="search"
        maxLength={200}
        placeholder={t("history.searchHint")}
        aria-label={t("history.search")}
        title={t("history.search")}
        value={history.draft}
        onChange={(event) => history.setDraft(event.currentTarget.value)}
      />
      <select
        className="sl-select"
        aria-label={t("history.status")}
        value={history.status ?? ""}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          history.ask({ status: EXECUTION_STATUSES.find((status) => status === chosen) });
        }}
      >
        <option value="">{t("history.anyStatus")}</option>
        {EXECUTION_STATUSES.map((status) => (
          <option key={status} value={status}>
            {core(`status.${status}`)}
          </option>
        ))}
      </select>
      <button
        type="button"
        className="sl-button"
        aria-label={t("history.csvLabel")}
        title={t("history.csvLabel")}
        disabled={executions.length === 0}
        onClick={() => saveFile("executions.csv", "text/csv;charset=utf-8", executionsCsv(executions))}
      >
        {t("history.csv")}
      </button>
      <LastSyncedBadge at={lastSyncedAt} live={stale ? "reconnecting" : "ended"} />
    </header>
  );
}
