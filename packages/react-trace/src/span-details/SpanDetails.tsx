import {
  type Artifact,
  millisBetween,
  NOT_PERMITTED,
  type SpanRecord,
  type SpanSkeleton,
} from "@spanloom/model";
import {
  CorrelationChip,
  EmptyState,
  ErrorState,
  KindIcon,
  NotPermittedState,
  SkeletonRows,
  useFormat,
  useSpan,
} from "@spanloom/react-core";
import { type KeyboardEvent, type ReactElement, type ReactNode, useLayoutEffect, useRef } from "react";
import type { AttemptPlace } from "../layout/attempts.ts";
import type { TraceModel } from "../layout/trace-model.ts";
import type { PanelLayout } from "../trace-tab/use-panel-layout.ts";
import { useTraceMessages } from "../use-trace-messages.ts";
import { AttributesTab } from "./AttributesTab.tsx";
import { ContentTab, hasMessages } from "./ContentTab.tsx";
import { DetailTabs } from "./DetailTabs.tsx";
import { EventsTab } from "./EventsTab.tsx";
import { LinksTab } from "./LinksTab.tsx";
import { UsageTab } from "./UsageTab.tsx";
import { Withheld } from "./Withheld.tsx";

export const DETAIL_TABS = ["content", "attributes", "events", "usage", "links"] as const;
export type DetailTab = (typeof DETAIL_TABS)[number];

export interface SpanDetailsProps {
  executionId: string;
  model: TraceModel;
  /** Pre-order index of the selected span; -1 for none. */
  index: number;
  attempt: AttemptPlace | undefined;
  layout: PanelLayout;
  /** Where the details are a second screen, focus goes there. */
  takeFocus: boolean;
  tab: DetailTab;
  onTab(tab: DetailTab): void;
  onClose(): void;
  artifactHref: ((artifact: Artifact, span: SpanSkeleton) => string | undefined) | undefined;
}

/** Everything known of one span. Its content is read when it is selected. */
export function SpanDetails(props: SpanDetailsProps): ReactElement {
  const { executionId, model, index } = props;
  const t = useTraceMessages();
  const skeleton = model.nodes[index]?.span;
  const { status, data, error, retry } = useSpan(executionId, skeleton);
  if (skeleton === undefined) {
    return (
      <aside className="sl-trace-details" aria-label={t("trace.details")}>
        <EmptyState title={t("trace.detailsNone")} hint={t("trace.detailsNoneHint")} />
      </aside>
    );
  }
  return (
    <aside className="sl-trace-details" aria-label={t("trace.details")} onKeyDown={closeOnEscape(props)}>
      <DetailsHeader {...props} span={data ?? skeleton} />
      {data !== undefined ? (
        <DetailTabs tab={props.tab} onTab={props.onTab} labels={labelsOf(data, t)}>
          <TabBody {...props} record={data} />
        </DetailTabs>
      ) : status === "error" ? (
        <ErrorState error={error} onRetry={retry} />
      ) : status === "not-permitted" ? (
        <NotPermittedState />
      ) : status === "not-found" ? (
        <EmptyState title={t("trace.spanGone")} hint={t("trace.spanGoneHint")} />
      ) : (
        <SkeletonRows rows={6} />
      )}
    </aside>
  );
}

function closeOnEscape({ layout, onClose }: SpanDetailsProps): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.key !== "Escape" || layout === "wide") return;
    event.stopPropagation();
    onClose();
  };
}

function labelsOf(
  span: SpanRecord,
  t: ReturnType<typeof useTraceMessages>,
): Record<DetailTab, { text: string; count?: number }> {
  return {
    content: { text: t(hasMessages(span) ? "trace.tabMessages" : "trace.tabContent") },
    attributes: { text: t("trace.tabAttributes"), count: Object.keys(span.attributes).length },
    events: { text: t("trace.tabEvents"), count: span.events.length },
    usage: { text: t("trace.tabUsage") },
    links: { text: t("trace.tabLinks"), count: span.links.length },
  };
}

function TabBody(props: SpanDetailsProps & { record: SpanRecord }): ReactElement {
  const { record, model, index, tab, artifactHref } = props;
  switch (tab) {
    case "content":
      return <ContentTab span={record} artifactHref={artifactHref} />;
    case "attributes":
      return <AttributesTab span={record} />;
    case "events":
      return <EventsTab span={record} />;
    case "usage":
      return <UsageTab span={record} model={model} index={index} />;
    case "links":
      return <LinksTab span={record} />;
  }
}

function DetailsHeader(props: SpanDetailsProps & { span: SpanSkeleton }): ReactElement {
  const { span, attempt, layout, onClose } = props;
  const t = useTraceMessages();
  const format = useFormat();
  const { durationMs, firstTokenMs } = times(props);
  const back = layout === "narrow";
  return (
    <header className="sl-trace-details-header">
      <div className="sl-trace-details-title">
        {back ? (
          <CloseButton label={t("trace.back")} back takeFocus={props.takeFocus} onClose={onClose} />
        ) : null}
        <KindIcon kind={span.kind} />
        <h3>
          <bdi>{span.name === "" ? t("trace.unnamed") : span.name}</bdi>
        </h3>
        <CorrelationChip id={span.spanId} kind="span" />
        {layout === "medium" || (layout === "wide" && props.index >= 0) ? (
          <CloseButton label={t("trace.close")} onClose={onClose} />
        ) : null}
      </div>
      <dl className="sl-trace-facts">
        <Fact name={t("trace.duration")}>
          {span.endTime === undefined ? t("trace.running") : format.duration(durationMs)}
        </Fact>
        <Fact name={t("trace.startedAt")}>{format.dateTime(span.startTime)}</Fact>
        {firstTokenMs === undefined ? null : (
          <Fact name={t("trace.firstToken")}>{format.duration(firstTokenMs)}</Fact>
        )}
        {span.model === undefined ? null : (
          <Fact name={t("trace.model")}>
            <bdi title={span.provider}>{span.model}</bdi>
          </Fact>
        )}
        {span.agent === undefined ? null : (
          <Fact name={t("trace.agent")}>
            <bdi>{span.agent}</bdi>
          </Fact>
        )}
        {attempt === undefined ? null : (
          <Fact name={t("trace.attemptName")}>
            {t("trace.attemptOf", { attempt: attempt.attempt, of: attempt.of })}
          </Fact>
        )}
      </dl>
      {span.status.code === "error" ? (
        <p className="sl-trace-problem">
          <strong>{t("trace.error")}</strong>{" "}
          {span.status.message === NOT_PERMITTED ? <Withheld /> : <bdi>{span.status.message}</bdi>}
        </p>
      ) : null}
      {span.syntheticEnd === undefined ? null : (
        <p className="sl-trace-problem sl-trace-problem-mild">{t(`trace.synthetic.${span.syntheticEnd}`)}</p>
      )}
    </header>
  );
}

function times({ model, index }: SpanDetailsProps): { durationMs: number; firstTokenMs: number | undefined } {
  const span = model.nodes[index]?.span;
  const start = model.startMs[index] ?? 0;
  return {
    durationMs: Math.max((model.endMs[index] ?? 0) - start, 0),
    firstTokenMs:
      span?.firstTokenTime === undefined ? undefined : millisBetween(span.startTime, span.firstTokenTime),
  };
}

function CloseButton({
  label,
  back,
  takeFocus,
  onClose,
}: {
  label: string;
  back?: boolean;
  takeFocus?: boolean;
  onClose: () => void;
}): ReactElement {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (takeFocus) button.current?.focus({ preventScroll: true });
  }, [takeFocus]);
  return (
    <button
      type="button"
      className={back ? "sl-button sl-trace-back" : "sl-button sl-trace-icon-button sl-trace-quiet"}
      aria-label={label}
      title={label}
      ref={button}
      onClick={onClose}
    >
      <svg
        className={back ? "sl-trace-icon sl-trace-icon-back" : "sl-trace-icon"}
        viewBox="0 0 16 16"
        aria-hidden="true"
      >
        <path d={back ? "M10 4 6 8l4 4" : "M4 4l8 8M12 4l-8 8"} />
      </svg>
    </button>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
