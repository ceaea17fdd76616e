// biome-ignore-all lint/a11y/useSemanticElements: a virtual treegrid cannot be a table element
import type { ReactElement, ReactNode, Ref } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";

/** The names of the columns. It stays at the top while rows scroll under it. */
export function GridHeader({
  rowRef,
  children,
}: {
  rowRef: Ref<HTMLDivElement>;
  children: ReactNode;
}): ReactElement {
  const t = useTraceMessages();
  return (
    <div className="sl-trace-head" role="rowgroup">
      {/* biome-ignore lint/a11y/useFocusableInteractive: nothing can be done with the header row */}
      <div ref={rowRef} className="sl-trace-row sl-trace-head-row" role="row" aria-rowindex={1}>
        <ColumnName className="sl-trace-name">{t("trace.columnName")}</ColumnName>
        <ColumnName className="sl-trace-number">{t("trace.columnDuration")}</ColumnName>
        <ColumnName className="sl-trace-number sl-trace-tokens">{t("trace.columnTokens")}</ColumnName>
        <ColumnName className="sl-trace-number sl-trace-cost">{t("trace.columnCost")}</ColumnName>
        <ColumnName className="sl-trace-timeline">
          <span className="sl-visually-hidden">{t("trace.columnTimeline")}</span>
          {children}
        </ColumnName>
      </div>
    </div>
  );
}

function ColumnName({ className, children }: { className: string; children: ReactNode }): ReactElement {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: columns cannot be sorted; the tree has its own order
    <div className={className} role="columnheader">
      {children}
    </div>
  );
}
