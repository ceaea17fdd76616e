import type { ExecutionSummary } from "@spanloom/model";
import { useMessages } from "@spanloom/react-core";
import { type MouseEvent, type ReactElement, type ReactNode, useId } from "react";
import { CostBreakdownTable } from "../cost-breakdown/CostBreakdown.tsx";
import { analyticsMessages } from "../messages.ts";
import { historyColumns, nameOf } from "./columns.tsx";

export interface HistoryRowProps {
  execution: ExecutionSummary;
  expanded: boolean;
  onToggle: () => void;
  onSelectExecution: ((executionId: string) => void) | undefined;
  /** The cells. */
  children: ReactNode;
}

/** One execution; a click opens what its nodes cost under it. */
export function HistoryRow(props: HistoryRowProps): ReactElement {
  const { execution, expanded, onToggle, onSelectExecution, children } = props;
  const t = useMessages(analyticsMessages);
  const detailsId = useId();
  const name = nameOf(execution);
  return (
    <>
      <tr
        className={expanded ? "sl-history-row sl-history-expanded" : "sl-history-row"}
        onClick={(event) => {
          if (isPlainClick(event)) onToggle();
        }}
      >
        <td className="sl-history-toggle">
          <button
            type="button"
            className="sl-icon-button"
            aria-expanded={expanded}
            aria-controls={expanded ? detailsId : undefined}
            aria-label={t("history.showDetails", { name })}
            onClick={onToggle}
          >
            <svg className="sl-chevron" viewBox="0 0 8 8" aria-hidden="true">
              <path d="M2.5 1 5.5 4 2.5 7" />
            </svg>
          </button>
        </td>
        {children}
        {onSelectExecution === undefined ? null : (
          <td className="sl-history-open">
            <button
              type="button"
              className="sl-text-button"
              aria-label={t("history.openLabel", { name })}
              onClick={() => onSelectExecution(execution.executionId)}
            >
              {t("history.open")}
            </button>
          </td>
        )}
      </tr>
      {expanded ? (
        <tr id={detailsId} className="sl-history-details">
          <td colSpan={historyColumns.length + (onSelectExecution === undefined ? 1 : 2)}>
            <CostBreakdownTable executionId={execution.executionId} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** Not a click on a control, and not the end of selecting text. */
function isPlainClick({ target, currentTarget }: MouseEvent<HTMLElement>): boolean {
  if (target instanceof Element && target.closest("a, button") !== null) return false;
  const selection = currentTarget.ownerDocument.getSelection();
  return selection === null || selection.isCollapsed || !currentTarget.contains(selection.anchorNode);
}
