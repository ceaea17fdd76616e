import { isTerminal, millisOf, type PanelConfig, type RunMetrics, type StageMetrics } from "@spanloom/model";
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
  // A stage that nobody ended runs no longer than its run does: then its time is unknown.
  const live = !isTerminal(metrics.status);
  const now = useNow(1_000, live && metrics.stages.some((stage) => stage.status === "running"));
  const slowest = slowestOf(metrics.stages);
  const elapsed = metrics.stages.map((stage) => elapsedOf(stage, live ? now : undefined));
  const longestMs = Math.max(1, ...elapsed.map((ms) => ms ?? 0));
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
              {metrics.stages.map((stage, index) => (
                <LatencyRow
                  key={stage.nodeId}
                  stage={stage}
                  elapsedMs={elapsed[index]}
                  longestMs={longestMs}
                  running={live && stage.status === "running"}
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
  elapsedMs: number | undefined;
  longestMs: number;
  running: boolean;
  slowest: boolean;
  traceLink: LatencySectionProps["traceLink"];
}

function LatencyRow(props: LatencyRowProps): ReactElement {
  const { stage, elapsedMs, longestMs, running, slowest, traceLink } = props;
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const state = running ? "running" : stage.status === "running" ? "unfinished" : stage.status;
  // A running stage is told by whole seconds: that is how often it is counted.
  const shownMs = running && elapsedMs !== undefined ? Math.floor(elapsedMs / 1000) * 1000 : elapsedMs;
  return (
    <tr className={slowest ? "sl-row-slowest" : undefined}>
      <th scope="row">
        <bdi>{stage.name}</bdi>
        {slowest ? <span className="sl-tag">{t("latency.slowest")}</span> : null}
        {state === "completed" ? null : (
          <span className={`sl-tag sl-tag-${state}`}>{t(`latency.${state}`)}</span>
        )}
      </th>
      <td className="sl-number sl-bar-cell">
        <span className="sl-bar-track" aria-hidden="true">
          {elapsedMs === undefined ? null : (
            <span
              className={`sl-bar sl-bar-${state}`}
              style={{ inlineSize: `${Math.max(1, (elapsedMs / longestMs) * 100)}%` }}
            />
          )}
        </span>
        <span className="sl-bar-figure">{format.duration(shownMs)}</span>
      </td>
      <td className="sl-number">{format.count(stage.attempts)}</td>
      {traceLink === undefined ? null : (
        <td>
          <TraceLink stage={stage} link={traceLink} />
        </td>
      )}
    </tr>
  );
}

interface TraceLinkProps {
  stage: StageMetrics;
  link: NonNullable<LatencySectionProps["traceLink"]>;
}

function TraceLink({ stage, link }: TraceLinkProps): ReactElement | null {
  const t = useMessages(analyticsMessages);
  const href = fillLink(link.template, {
    trace_id: stage.traceId,
    start_ms: Math.floor(millisOf(stage.startTime)),
    end_ms: stage.endTime === undefined ? Date.now() : Math.ceil(millisOf(stage.endTime)),
  });
  if (href === undefined) return null;
  return (
    <a className="sl-link" href={href} target="_blank" rel="noopener noreferrer">
      {link.label || t("runMetrics.viewTrace")}{" "}
      <span className="sl-visually-hidden">
        {`${t("runMetrics.ofStage", { stage: stage.name })} (${t("runMetrics.newTab")})`}
      </span>
    </a>
  );
}

/** `now` counts for a stage without an end; where it is absent, such a stage's time is unknown. */
function elapsedOf(stage: StageMetrics, now: number | undefined): number | undefined {
  if (stage.elapsedMs !== undefined || now === undefined) return stage.elapsedMs;
  return Math.max(0, now - millisOf(stage.startTime));
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
