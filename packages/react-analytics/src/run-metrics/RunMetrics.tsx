import type { PanelConfig, RunMetrics as RunMetricsData } from "@spanloom/model";
import { isTerminal, millisOf } from "@spanloom/model";
import {
  CorrelationChip,
  EmptyState,
  EnvProvenance,
  ErrorState,
  fillLink,
  LastSyncedBadge,
  NotPermittedState,
  PanelRoot,
  SkeletonRows,
  StatusMark,
  useMessages,
  usePanelConfig,
  useRunMetrics,
} from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import { CacheSection } from "./CacheSection.tsx";
import { LatencySection } from "./LatencySection.tsx";
import { TokenSection } from "./TokenSection.tsx";

export interface RunMetricsProps {
  executionId: string;
}

/** Tokens, latency and cache of one run, by stage. Links into dashboards stand here only for callers who may follow them. */
export function RunMetrics({ executionId }: RunMetricsProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const { status, data, error, retry, lastSyncedAt } = useRunMetrics(executionId);
  const config = usePanelConfig().data;
  return (
    <PanelRoot label={t("runMetrics.label")} className="sl-run-metrics" busy={status === "loading"}>
      {data === undefined || status === "not-permitted" ? (
        <NoMetrics status={status} error={error} onRetry={retry} />
      ) : (
        <>
          <Header metrics={data} config={config} lastSyncedAt={lastSyncedAt} stale={error !== undefined} />
          <TokenSection metrics={data} />
          <LatencySection metrics={data} traceLink={config?.links?.trace} />
          <CacheSection cache={data.mcpCache} />
        </>
      )}
    </PanelRoot>
  );
}

interface NoMetricsProps {
  status: ReturnType<typeof useRunMetrics>["status"];
  error: Error | undefined;
  onRetry: () => void;
}

function NoMetrics({ status, error, onRetry }: NoMetricsProps): ReactElement {
  const t = useMessages(analyticsMessages);
  if (status === "error") return <ErrorState error={error} onRetry={onRetry} />;
  if (status === "not-permitted") return <NotPermittedState />;
  if (status === "not-found") {
    return <EmptyState title={t("runMetrics.notFound")} hint={t("runMetrics.notFoundHint")} />;
  }
  return <SkeletonRows rows={6} />;
}

interface HeaderProps {
  metrics: RunMetricsData;
  config: PanelConfig | undefined;
  lastSyncedAt: number | undefined;
  stale: boolean;
}

function Header({ metrics, config, lastSyncedAt, stale }: HeaderProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const running = !isTerminal(metrics.status);
  const link = config?.links?.run;
  const href =
    link === undefined
      ? undefined
      : fillLink(link.template, {
          run_id: metrics.executionId,
          workflow_id: metrics.workflowId ?? "",
          start_ms: Math.floor(millisOf(metrics.startTime)),
          end_ms: metrics.endTime === undefined ? Date.now() : Math.ceil(millisOf(metrics.endTime)),
        });
  return (
    <header className="sl-panel-header">
      <h2 className="sl-panel-title">
        <bdi>{metrics.workflowName ?? metrics.workflowId ?? metrics.executionId}</bdi>
      </h2>
      <StatusMark status={metrics.status} />
      <CorrelationChip kind="execution" id={metrics.executionId} />
      <EnvProvenance
        environment={config?.environment}
        service={config?.service}
        version={config?.serviceVersion}
      />
      <LastSyncedBadge at={lastSyncedAt} live={stale ? "reconnecting" : running ? "live" : "ended"} />
      {href === undefined ? null : (
        <a className="sl-link sl-header-link" href={href} target="_blank" rel="noopener noreferrer">
          {link?.label || t("runMetrics.openDashboard")}{" "}
          <span className="sl-visually-hidden">({t("runMetrics.newTab")})</span>
        </a>
      )}
    </header>
  );
}
