import type { ExecutionSummary, Page } from "@spanloom/model";
import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import type { HistoryQuery } from "./use-history-query.ts";

export interface HistoryPagesProps {
  page: Page<ExecutionSummary>;
  outdated: boolean;
  history: HistoryQuery;
  pageSize: number;
}

/** Where in the list the page stands, and the ways to its neighbours. Absent where one page is all. */
export function HistoryPages({ page, outdated, history, pageSize }: HistoryPagesProps): ReactElement | null {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const { nextCursor, items } = page;
  const before = history.cursors.length * pageSize;
  if (nextCursor === undefined && before === 0) return null;
  return (
    <nav className="sl-pages" aria-label={t("history.pages")}>
      <span className="sl-dim" role="status">
        {outdated || items.length === 0
          ? ""
          : t("history.rows", { from: format.count(before + 1), to: format.count(before + items.length) })}
      </span>
      <PageButton
        label={t("history.previous")}
        path="M7 1 3 5 7 9"
        onClick={history.previous}
        disabled={before === 0}
      />
      <PageButton
        label={t("history.next")}
        path="M3 1 7 5 3 9"
        disabled={nextCursor === undefined || outdated}
        onClick={() => {
          if (nextCursor !== undefined) history.next(nextCursor);
        }}
      />
    </nav>
  );
}

interface PageButtonProps {
  label: string;
  path: string;
  disabled: boolean;
  onClick: () => void;
}

function PageButton({ label, path, disabled, onClick }: PageButtonProps): ReactElement {
  // Not the `disabled` attribute: it would take the focus away from whoever pages by keyboard.
  return (
    <button
      type="button"
      className="sl-button sl-page-button"
      aria-label={label}
      title={label}
      aria-disabled={disabled}
      onClick={() => {
        if (!disabled) onClick();
      }}
    >
      <svg className="sl-page-arrow" viewBox="0 0 10 10" aria-hidden="true">
        <path d={path} />
      </svg>
    </button>
  );
}
