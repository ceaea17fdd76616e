import { type ExecutionSummary, isTerminal, millisOf } from "@spanloom/model";
import {
  CorrelationChip,
  EnvProvenance,
  fillLink,
  StatusMark,
  type TraceState,
  useFormat,
  useNow,
  usePanelConfig,
} from "@spanloom/react-core";
import type { ReactElement } from "react";
import type { TraceModel } from "../layout/trace-model.ts";
import { useTraceMessages } from "../use-trace-messages.ts";

/** Which run this is, how it stands, what it cost, and where else it can be seen. */
export function TraceHeader({ trace, model }: { trace: TraceState; model: TraceModel }): ReactElement {
  const t = useTraceMessages();
  const { execution } = trace;
  const name = execution?.workflowName ?? execution?.workflowId ?? model.nodes[0]?.span.name;
  const traceIds = execution?.traceIds ?? [];
  return (
    <header className="sl-trace-header">
      <h2 className="sl-trace-title">
        <bdi title={name}>{name === undefined || name === "" ? t("trace.untitled") : name}</bdi>
      </h2>
      {execution === undefined ? null : <RunState execution={execution} />}
      <CorrelationChip id={traceIds[0] ?? model.nodes[0]?.span.traceId} kind="trace" />
      {traceIds.length > 1 ? (
        <span className="sl-trace-dim">
          {t("trace.moreTraces", { count: traceIds.length - 1, number: traceIds.length - 1 })}
        </span>
      ) : null}
      {execution?.environment === undefined && execution?.service === undefined ? null : (
        <EnvProvenance
          environment={execution.environment}
          service={execution.service}
          version={execution.serviceVersion}
        />
      )}
      <span className="sl-trace-spring" />
      {execution === undefined ? null : <Totals execution={execution} />}
      <LinksOut execution={execution} />
    </header>
  );
}

/** The status, and the time it took or takes. */
function RunState({ execution }: { execution: ExecutionSummary }): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const runs = !isTerminal(execution.status);
  const now = useNow(1_000, runs);
  const elapsedMs = runs ? Math.max(now - millisOf(execution.startTime), 0) : execution.durationMs;
  return (
    <span className="sl-trace-run">
      <StatusMark status={execution.status} />
      <span
        className="sl-trace-timer"
        role={runs ? "timer" : undefined}
        title={t(runs ? "trace.elapsed" : "trace.duration")}
      >
        {runs ? clock(elapsedMs ?? 0) : format.duration(elapsedMs)}
      </span>
    </span>
  );
}

function Totals({ execution }: { execution: ExecutionSummary }): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const { usage, cost } = execution;
  const tokensTitle = t("trace.tokensTitle", {
    tokens: format.count(usage.total),
    input: format.count(usage.input),
    output: format.count(usage.output),
  });
  const items = cost.priced + cost.unpriced;
  return (
    <>
      <span
        className="sl-trace-total"
        title={
          usage.known.total < usage.items
            ? `${tokensTitle}. ${t("trace.tokensPartly", { known: usage.known.total, items: usage.items })}`
            : tokensTitle
        }
      >
        {t("trace.tokens", { tokens: format.tokens(usage.total) })}
      </span>
      <span
        className="sl-trace-total"
        title={
          cost.unpriced > 0
            ? `${t("trace.costTitle", { cost: format.costExact(cost.nanoUsd) })}. ${t("trace.costPartly", { unpriced: cost.unpriced, items })}`
            : t("trace.costTitle", { cost: format.costExact(cost.nanoUsd) })
        }
      >
        {cost.unpriced > 0 && cost.nanoUsd !== undefined ? "≥ " : ""}
        {format.cost(cost.nanoUsd)}
      </span>
    </>
  );
}

/** Only what the caller's role may follow: the configuration of another role holds no template. */
function LinksOut({ execution }: { execution: ExecutionSummary | undefined }): ReactElement | null {
  const { data } = usePanelConfig();
  if (execution === undefined || data?.links === undefined) return null;
  const times = {
    start_ms: Math.floor(millisOf(execution.startTime)),
    end_ms: Math.ceil(execution.endTime === undefined ? Date.now() : millisOf(execution.endTime)),
  };
  const run =
    data.links.run &&
    fillLink(data.links.run.template, {
      run_id: execution.executionId,
      workflow_id: execution.workflowId,
      ...times,
    });
  const trace =
    data.links.trace && fillLink(data.links.trace.template, { trace_id: execution.traceIds[0], ...times });
  return (
    <>
      {run === undefined ? null : (
        <a className="sl-link sl-trace-link" href={run} target="_blank" rel="noopener noreferrer">
          {data.links.run?.label}
        </a>
      )}
      {trace === undefined ? null : (
        <a className="sl-link sl-trace-link" href={trace} target="_blank" rel="noopener noreferrer">
          {data.links.trace?.label}
        </a>
      )}
    </>
  );
}

/** `00:14`, `1:02:03`: a clock that ticks without changing its width. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const pad = (value: number): string => String(value).padStart(2, "0");
  const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return seconds < 3600 ? rest : `${Math.floor(seconds / 3600)}:${rest}`;
}
