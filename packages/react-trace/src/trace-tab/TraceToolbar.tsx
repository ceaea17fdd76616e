import { useFormat } from "@spanloom/react-core";
import type { KeyboardEvent, ReactElement } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import type { ToolbarState } from "./use-toolbar-state.ts";

export interface TraceToolbarProps {
  state: ToolbarState;
  matchCount: number;
  /** From 1; 0 while no match was gone to. */
  position: number;
  /** The count still answers an earlier text. */
  pending: boolean;
  onStep(direction: 1 | -1): void;
  onExpandAll(): void;
  onCollapseAll(): void;
}

export function TraceToolbar(props: TraceToolbarProps): ReactElement {
  const { state, onStep, onExpandAll, onCollapseAll } = props;
  const t = useTraceMessages();
  const { filters, setFilters } = state;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      onStep(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && state.text !== "") {
      event.preventDefault();
      event.stopPropagation();
      state.setText("");
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out like this in every browser
    <div className="sl-trace-toolbar" role="group" aria-label={t("trace.toolbar")}>
      <div className="sl-trace-search">
        <input
          type="search"
          className="sl-input"
          aria-label={t("trace.search")}
          placeholder={t("trace.searchPlaceholder")}
          autoComplete="off"
          spellCheck={false}
          dir="auto"
          value={state.text}
          onChange={(event) => state.setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <MatchCount {...props} />
        <StepButton direction={-1} label={t("trace.previous")} {...props} />
        <StepButton direction={1} label={t("trace.next")} {...props} />
      </div>
      <button
        type="button"
        className="sl-button"
        aria-pressed={filters.errorsOnly}
        onClick={() => setFilters({ ...filters, errorsOnly: !filters.errorsOnly })}
      >
        {t("trace.errorsOnly")}
      </button>
      <button
        type="button"
        className="sl-button"
        aria-pressed={filters.aiOnly}
        title={t("trace.aiOnlyTitle")}
        onClick={() => setFilters({ ...filters, aiOnly: !filters.aiOnly })}
      >
        {t("trace.aiOnly")}
      </button>
      <span className="sl-trace-spring" />
      <button type="button" className="sl-button sl-trace-quiet" onClick={onExpandAll}>
        {t("trace.expandAll")}
      </button>
      <button type="button" className="sl-button sl-trace-quiet" onClick={onCollapseAll}>
        {t("trace.collapseAll")}
      </button>
    </div>
  );
}

function MatchCount({ state, matchCount, position, pending }: TraceToolbarProps): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const text =
    state.text.trim() === "" || pending
      ? ""
      : matchCount === 0
        ? t("trace.noMatch")
        : position === 0
          ? t("trace.found", { count: matchCount, number: format.count(matchCount) })
          : t("trace.matches", { position: format.count(position), count: format.count(matchCount) });
  return (
    <span className="sl-trace-matches" role="status">
      {text}
    </span>
  );
}

function StepButton(props: TraceToolbarProps & { direction: 1 | -1; label: string }): ReactElement {
  const { direction, label, matchCount, onStep } = props;
  return (
    <button
      type="button"
      className="sl-button sl-trace-icon-button"
      aria-label={label}
      title={label}
      disabled={matchCount === 0}
      onClick={() => onStep(direction)}
    >
      <svg className="sl-trace-icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d={direction === 1 ? "M4 6l4 4 4-4" : "M4 10l4-4 4 4"} />
      </svg>
    </button>
  );
}
