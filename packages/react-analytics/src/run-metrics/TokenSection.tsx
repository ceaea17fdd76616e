import { isTerminal, type RunMetrics, type StageMetrics, type UsageSum } from "@spanloom/model";
import { coreMessages, useFormat, useMessages } from "@spanloom/react-core";
import { type ReactElement, useId, useState } from "react";
import { analyticsMessages } from "../messages.ts";

/** Tokens by stage, folded away until asked for. A stage that still runs has no figures yet, and says so. */
export function TokenSection({ metrics }: { metrics: RunMetrics }): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const tableId = useId();
  return (
    <section className="sl-section" aria-label={t("tokens.title")}>
      <div className="sl-section-head">
        <h3 className="sl-section-title">{t("tokens.title")}</h3>
        <span className="sl-section-figure" title={format.count(metrics.usage.total)}>
          {format.tokens(metrics.usage.total)}
        </span>
        <button
          type="button"
          className="sl-button"
          aria-expanded={open}
          aria-controls={open ? tableId : undefined}
          onClick={() => setOpen(!open)}
        >
          {open ? t("tokens.hide") : t("tokens.show")}
        </button>
      </div>
      {open ? (
        <div id={tableId}>
          {metrics.stages.length === 0 && metrics.usage.items === 0 ? (
            <p className="sl-note">{t("tokens.none")}</p>
          ) : (
            <TokenTable metrics={metrics} />
          )}
        </div>
      ) : null}
    </section>
  );
}

function TokenTable({ metrics }: { metrics: RunMetrics }): ReactElement {
  const t = useMessages(analyticsMessages);
  const outside = usageOutside(metrics);
  // A stage that nobody ended is not in progress once its run is over: then its figures are what there is.
  const live = !isTerminal(metrics.status);
  return (
    <div className="sl-table-scroll">
      <table className="sl-table">
        <thead>
          <tr>
            <th scope="col">{t("tokens.stage")}</th>
            <th scope="col" className="sl-number">
              {t("tokens.prompt")}
            </th>
            <th scope="col" className="sl-number">
              {t("tokens.completion")}
            </th>
            <th scope="col" className="sl-number">
              {t("tokens.all")}
            </th>
          </tr>
        </thead>
        <tbody>
          {metrics.stages.map((stage) =>
            live && stage.status === "running" ? (
              <RunningRow key={stage.nodeId} stage={stage} />
            ) : (
              <UsageRow key={stage.nodeId} name={stage.name} usage={stage.usage} />
            ),
          )}
          {outside.items > 0 ? <UsageRow name={t("tokens.outside")} usage={outside} dim /> : null}
        </tbody>
        <tfoot>
          <UsageRow name={t("tokens.total")} usage={metrics.usage} />
        </tfoot>
      </table>
    </div>
  );
}

function UsageRow({ name, usage, dim }: { name: string; usage: UsageSum; dim?: boolean }): ReactElement {
  const format = useFormat();
  return (
    <tr className={dim ? "sl-row-dim" : undefined}>
      <th scope="row">
        <bdi>{name}</bdi>
      </th>
      <td className="sl-number">{format.count(usage.input)}</td>
      <td className="sl-number">{format.count(usage.output)}</td>
      <td className="sl-number">{format.count(usage.total)}</td>
    </tr>
  );
}

function RunningRow({ stage }: { stage: StageMetrics }): ReactElement {
  const t = useMessages(analyticsMessages);
  const core = useMessages(coreMessages);
  return (
    <tr>
      <th scope="row">
        <bdi>{stage.name}</bdi>
      </th>
      <td colSpan={3}>
        <span aria-hidden="true">— </span>
        <span className="sl-visually-hidden">{core("value.unknown")}. </span>
        <span className="sl-dim">{t("tokens.inProgress")}</span>
      </td>
    </tr>
  );
}

/** What the run used outside its stages: the run's sum less the stages', so that the rows add up to the total. */
function usageOutside({
  usage,
  stages,
}: RunMetrics): Pick<UsageSum, "items" | "input" | "output" | "total" | "known"> {
  const rest: UsageSum = { ...usage, known: { ...usage.known } };
  for (const stage of stages) {
    rest.items -= stage.usage.items;
    for (const field of ["input", "output", "total"] as const) {
      rest.known[field] -= stage.usage.known[field];
      if (rest[field] !== undefined) rest[field] -= stage.usage[field] ?? 0;
    }
  }
  for (const field of ["input", "output", "total"] as const) if (rest.known[field] <= 0) delete rest[field];
  return rest;
}
