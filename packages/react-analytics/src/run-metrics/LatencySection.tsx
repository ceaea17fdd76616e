import { millisOf, type PanelConfig, type RunMetrics, type StageMetrics } from "@spanloom/model";
import { fillLink, useFormat, useMessages, useNow } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";

export interface LatencySectionProps {
  metrics: RunMetrics;
  traceLink: NonNullable<PanelConfig["links"]>["trace"];
}

/** How long each stage took, from its first start to its last end. A running stage counts on by the second. */
export function LatencySection({ metrics, traceLink }: LatencySectionProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const running = metrics.stages.some((stage) => stage.status === "running");
  const now = useNow(1_000, running);
  const slowest = slowestOf(metrics.stages);
  const longestMs = Math.max(1, ...metrics.stages.map((stage) => elapsedOf(stage, now)));
  return (
    <section className="sl-section" aria-label={t("latency.title")}>
      <h3 className="sl-section-title">{t("latency.title")}</h3>
      {metrics.stages.length === 0 ? (
        <p className="sl-note">{t("latency.none")}</p>
      ) : (
        <div className="sl-table-scroll">
          <table className="sl-table">
            <thead>
              <tr>
                <th scope="col">{t("latency.stage")}</th>
                <th scope="col" className="sl-number">
                  {t("latency.elapsed")}
                </th>
                <th scope="col" className="sl-number">
                  {t("latency.attempts")}
                </th>
                {traceLink === undefined ? null : <th scope="col">{t("latency.trace")}</th>}
              </tr>
            </thead>
            <tbody>
              {metrics.stages.map((stage) => (
                <LatencyRow
                  key={stage.nodeId}
                  stage={stage}
                  elapsedMs={elapsedOf(stage, now)}
                  share={elapsedOf(stage, now) / longestMs}
                  slowest={stage === slowest}
                  traceLink={traceLink}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface LatencyRowProps {
  stage: StageMetrics;
  elapsedMs: number;
  /** Of the longest stage, 0 to 1. */
  share: number;
  slowest: boolean;
  traceLink: LatencySectionProps["traceLink"];
}

function LatencyRow({ stage, elapsedMs, share, slowest, traceLink }: LatencyRowProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const mark =
    stage.status === "running" ? t("latency.running") : stage.status === "failed" ? t("latency.failed") : "";
  // A running stage is told by whole seconds: that is how often it is counted.
  const shownMs = stage.status === "running" ? Math.floor(elapsedMs / 1000) * 1000 : elapsedMs;
  return (
    <tr className={slowest ? "sl-row-slowest" : undefined}>
      <th scope="row">
        <bdi>{stage.name}</bdi>
        {slowest ? <span className="sl-tag">{t("latency.slowest")}</span> : null}
        {mark === "" ? null : <span className={`sl-tag sl-tag-${stage.status}`}>{mark}</span>}
      </th>
      <td className="sl-number sl-bar-cell">
        <span
          aria-hidden="true"
          className={`sl-bar sl-bar-${stage.status}`}
          style={{ inlineSize: `${Math.max(1, share * 100)}%` }}
        />
        {format.duration(shownMs)}
      </td>
      <td className="sl-number">{format.count(stage.attempts)}</td>
      {traceLink === undefined ? null : (
        <td>
          <TraceLink stage={stage} template={traceLink.template} />
        </td>
      )}
    </tr>
  );
}

function TraceLink({ stage, template }: { stage: StageMetrics; template: string }): ReactElement | null {
  const t = useMessages(analyticsMessages);
  const href = fillLink(template, {
    trace_id: stage.traceId,
    start_ms: Math.floor(millisOf(stage.startTime)),
    end_ms: stage.endTime === undefined ? Date.now() : Math.ceil(millisOf(stage.endTime)),
  });
  if (href === undefined) return null;
  return (
    <a
      className="sl-link"
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={`${t("runMetrics.viewTraceOf", { stage: stage.name })} (${t("runMetrics.newTab")})`}
    >
      {t("runMetrics.viewTrace")}
    </a>
  );
}

function elapsedOf(stage: StageMetrics, now: number): number {
  return stage.elapsedMs ?? Math.max(0, now - millisOf(stage.startTime));
}

/** The stage that took longest of those that are done; one alone is not called slow. */
function slowestOf(stages: readonly StageMetrics[]): StageMetrics | undefined {
  const done = stages.filter((stage) => stage.elapsedMs !== undefined);
  if (stages.length < 2) return undefined;
  return done.reduce<StageMetrics | undefined>(
    (slowest, stage) => ((stage.elapsedMs ?? 0) > (slowest?.elapsedMs ?? -1) ? stage : slowest),
    undefined,
  );
}
