import type { Artifact, SpanSkeleton } from "@spanloom/model";
import { LastSyncedBadge, type TraceState, useFormat } from "@spanloom/react-core";
import type { ReactElement } from "react";
import type { TraceFacts } from "../layout/trace-facts.ts";
import type { TraceModel } from "../layout/trace-model.ts";
import { useTraceMessages } from "../use-trace-messages.ts";
import { ArtifactLink } from "./ArtifactLink.tsx";

export interface TraceSummaryProps {
  trace: TraceState;
  model: TraceModel;
  facts: TraceFacts;
  /** Goes to a span. */
  onChoose(key: string): void;
  onErrors(): void;
  artifactHref: ((artifact: Artifact, span: SpanSkeleton) => string | undefined) | undefined;
}

const ARTIFACTS_SHOWN = 3;

/** The run in one line: how many spans and errors, where time and money went, what came out, how fresh this is. */
export function TraceSummary(props: TraceSummaryProps): ReactElement {
  const { trace, model, facts, onChoose, onErrors, artifactHref } = props;
  const t = useTraceMessages();
  const format = useFormat();
  const { slowest, dearest, artifacts } = facts;
  const errors = t("trace.errors", { count: model.errorCount, number: format.count(model.errorCount) });
  return (
    <footer className="sl-trace-summary">
      <span>{t("trace.spans", { count: trace.spanCount, number: format.count(trace.spanCount) })}</span>
      {model.errorCount === 0 ? (
        <span>{errors}</span>
      ) : (
        <button type="button" className="sl-trace-fact sl-trace-fact-error" onClick={onErrors}>
          {errors}
        </button>
      )}
      {slowest === undefined ? null : (
        <span>
          {t("trace.slowest")}{" "}
          <button type="button" className="sl-trace-fact" onClick={() => onChoose(slowest.key)}>
            <bdi>{slowest.name || t("trace.unnamed")}</bdi>
          </button>{" "}
          {format.duration(slowest.durationMs)}
        </span>
      )}
      {dearest === undefined ? null : (
        <span>
          {t("trace.dearest")}{" "}
          <button type="button" className="sl-trace-fact" onClick={() => onChoose(dearest.key)}>
            <bdi>{dearest.name || t("trace.unnamed")}</bdi>
          </button>{" "}
          {format.cost(dearest.nanoUsd)}
        </span>
      )}
      {artifacts.length === 0 ? null : (
        <span className="sl-trace-summary-artifacts">
          {t("trace.artifactCount", { count: artifacts.length, number: format.count(artifacts.length) })}
          {": "}
          {artifacts.slice(0, ARTIFACTS_SHOWN).map(({ artifact, key }) => {
            const span = model.nodes[model.indexOf(key)]?.span;
            return (
              <ArtifactLink
                key={artifact.artifactId}
                artifact={{ artifactId: artifact.artifactId, name: artifact.name }}
                href={span && artifactHref?.(artifact, span)}
              />
            );
          })}
          {artifacts.length <= ARTIFACTS_SHOWN ? null : (
            <span>
              {t("trace.moreArtifacts", {
                count: artifacts.length - ARTIFACTS_SHOWN,
                number: format.count(artifacts.length - ARTIFACTS_SHOWN),
              })}
            </span>
          )}
        </span>
      )}
      <span className="sl-trace-spring" />
      <LastSyncedBadge at={trace.lastSyncedAt} live={trace.live} />
    </footer>
  );
}
