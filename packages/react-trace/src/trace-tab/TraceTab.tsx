import type { Artifact, SpanSkeleton } from "@spanloom/model";
import {
  CorrelationChip,
  EmptyState,
  ErrorState,
  NotPermittedState,
  PanelRoot,
  SkeletonRows,
  type TraceState,
  useTrace,
} from "@spanloom/react-core";
import { type ReactElement, useState } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import { TraceView } from "./TraceView.tsx";
import { usePanelLayout } from "./use-panel-layout.ts";
import { type SelectionProps, useSelection } from "./use-selection.ts";
import { useToolbarState } from "./use-toolbar-state.ts";

export interface TraceTabProps extends SelectionProps {
  /** The execution to show; `undefined` asks the reader to select one. */
  executionId: string | undefined;
  /** Where an artifact can be downloaded; `undefined` for one that this reader may not have. Without it artifacts have no link. */
  artifactHref?: (artifact: Artifact, span: SpanSkeleton) => string | undefined;
}

/**
 * The trace of one execution: header, search and toggles, span tree with timeline, details, summary. Fills the height of
 * its container. Follows `executionId` and never shows another execution's spans, however fast it changes.
 */
export function TraceTab({ executionId, artifactHref, ...selectionProps }: TraceTabProps): ReactElement {
  const t = useTraceMessages();
  const [element, setElement] = useState<HTMLElement | null>(null);
  const layout = usePanelLayout(element);
  const trace = useTrace(executionId);
  const selection = useSelection(executionId, selectionProps);
  const toolbar = useToolbarState();
  return (
    <PanelRoot
      label={t("trace.label")}
      className={`sl-trace sl-trace-${layout}`}
      rootRef={setElement}
      busy={trace.status === "loading"}
    >
      {trace.status === "ready" && executionId !== undefined && trace.spans.length > 0 ? (
        <TraceView
          key={executionId}
          executionId={executionId}
          trace={trace}
          layout={layout}
          selection={selection}
          toolbar={toolbar}
          artifactHref={artifactHref}
        />
      ) : (
        <TraceStatus executionId={executionId} trace={trace} />
      )}
    </PanelRoot>
  );
}

/** Everything there is to say while there are no spans to show. */
function TraceStatus({
  executionId,
  trace,
}: {
  executionId: string | undefined;
  trace: TraceState;
}): ReactElement {
  const t = useTraceMessages();
  const id = executionId === undefined ? null : <CorrelationChip id={executionId} kind="execution" />;
  switch (trace.status) {
    case "idle":
      return <EmptyState title={t("trace.idle")} hint={t("trace.idleHint")} />;
    case "loading":
      return <SkeletonRows rows={12} />;
    case "not-permitted":
      return <NotPermittedState />;
    case "error":
      return (
        <div className="sl-trace-status">
          <ErrorState error={trace.error} onRetry={trace.retry} />
          <p className="sl-trace-status-id">{id}</p>
        </div>
      );
    case "not-found":
      return (
        <div className="sl-trace-status">
          <EmptyState title={t("trace.notFound")} hint={t("trace.notFoundHint")} />
          <p className="sl-trace-status-id">{id}</p>
        </div>
      );
    case "ready":
      return (
        <div className="sl-trace-status">
          <EmptyState title={t("trace.empty")} hint={t("trace.emptyHint")} />
          <p className="sl-trace-status-id">{id}</p>
        </div>
      );
  }
}
