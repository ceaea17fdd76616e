import type { ReactElement } from "react";
import { useCopy } from "../hooks/use-copy.ts";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";

export interface CorrelationChipProps {
  /** A trace, span or execution id. Absent shows "N/A": events without trace context are valid. */
  id: string | undefined;
  kind: "trace" | "span" | "execution";
}

/** An id, shortened, that a click copies whole. */
export function CorrelationChip({ id, kind }: CorrelationChipProps): ReactElement {
  const t = useMessages(coreMessages);
  const { state, copy } = useCopy();
  const label = t(`chip.${kind}`);
  if (id === undefined) {
    return (
      <span className="sl-chip sl-chip-empty" title={label}>
        {t("value.unknown")}
      </span>
    );
  }
  return (
    <>
      <button
        type="button"
        className="sl-chip"
        title={`${label}: ${id}`}
        aria-label={`${t("copy.action", { label })} ${shorten(id)}`}
        onClick={() => copy(id)}
      >
        <bdi className="sl-chip-id">{shorten(id)}</bdi>
        <svg className="sl-chip-icon" viewBox="0 0 16 16" aria-hidden="true">
          <path
            d={state === "copied" ? "M3 8.5 6.5 12 13 4.5" : "M5.5 5.500v-3h8v8h-3M2.5 5.500h8v8h-8Z"}
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
          />
        </svg>
      </button>
      <span className="sl-visually-hidden" role="status">
        {state === "copied" ? t("copy.done") : state === "failed" ? t("copy.failed") : ""}
      </span>
    </>
  );
}

function shorten(id: string): string {
  return id.length <= 13 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`;
}
