import type { CostGroup } from "@spanloom/model";
import {
  EmptyState,
  ErrorState,
  LastSyncedBadge,
  NotPermittedState,
  PanelRoot,
  SkeletonRows,
  useDailyCosts,
  useFormat,
  useMessages,
  useObservability,
} from "@spanloom/react-core";
import { type ReactElement, useMemo, useState } from "react";
import { CostFigure } from "../CostFigure.tsx";
import { analyticsMessages } from "../messages.ts";
import { CostBars } from "./CostBars.tsx";
import { CostTable } from "./CostTable.tsx";
import { type CostSeries, costSeries } from "./cost-series.ts";
import { SeriesKey } from "./SeriesKey.tsx";

export type CostWindow = 7 | 30;

export interface CostChartProps {
  /** Local days up to today. Controlled together with `onDaysChange`; else the panel keeps it. */
  days?: CostWindow;
  onDaysChange?: (days: CostWindow) => void;
  defaultDays?: CostWindow;
  /** How bars are split at first. */
  defaultGroupBy?: CostGroup;
  /** Only this workflow. */
  workflowId?: string;
}

/** What was spent on each day, in the provider's time zone, beside the period before. */
export function CostChart(props: CostChartProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const { timeZone } = useObservability();
  const [ownDays, setOwnDays] = useState<CostWindow>(props.defaultDays ?? 7);
  const [groupBy, setGroupBy] = useState<CostGroup | undefined>(props.defaultGroupBy);
  const [asTable, setAsTable] = useState(false);
  const days = props.days ?? ownDays;
  const { status, data, error, retry, lastSyncedAt } = useDailyCosts({
    days: days * 2,
    timeZone,
    ...(groupBy !== undefined && { groupBy }),
    ...(props.workflowId !== undefined && { workflowId: props.workflowId }),
  });
  const today = data?.days.at(-1)?.day ?? "";
  const series = useMemo(() => data && costSeries(data, days, today), [data, days, today]);
  const choose = (chosen: CostWindow): void => {
    setOwnDays(chosen);
    props.onDaysChange?.(chosen);
  };
  return (
    <PanelRoot label={t("cost.label")} className="sl-cost" busy={status === "loading"}>
      <header className="sl-panel-header">
        <h2 className="sl-panel-title">{t("cost.title")}</h2>
        <fieldset className="sl-choice">
          <legend className="sl-visually-hidden">{t("cost.window")}</legend>
          {([7, 30] as const).map((choice) => (
            <button
              key={choice}
              type="button"
              className="sl-button"
              aria-pressed={choice === days}
              onClick={() => choose(choice)}
            >
              {t("cost.days", { count: choice })}
            </button>
          ))}
        </fieldset>
        <label className="sl-field">
          {t("cost.by")}
          <select
            className="sl-select"
            value={groupBy ?? ""}
            onChange={(event) => setGroupBy(groupOf(event.currentTarget.value))}
          >
            <option value="">{t("cost.by.none")}</option>
            <option value="workflow">{t("cost.by.workflow")}</option>
            <option value="model">{t("cost.by.model")}</option>
          </select>
        </label>
        <button
          type="button"
          className="sl-button"
          aria-pressed={asTable}
          disabled={series === undefined}
          onClick={() => setAsTable(!asTable)}
        >
          {t("cost.table")}
        </button>
        <span className="sl-dim">{timeZone}</span>
        <LastSyncedBadge at={lastSyncedAt} live={error === undefined ? "ended" : "reconnecting"} />
      </header>
      {status === "not-permitted" ? (
        <NotPermittedState />
      ) : series === undefined ? (
        status === "error" ? (
          <ErrorState error={error} onRetry={retry} />
        ) : (
          <SkeletonRows rows={5} />
        )
      ) : series.total.priced + series.total.unpriced === 0 ? (
        <EmptyState title={t("cost.empty", { count: days })} hint={t("cost.emptyHint")} />
      ) : (
        <>
          <CostHeadline series={series} />
          {asTable ? (
            <CostTable series={series} grouped={groupBy !== undefined} />
          ) : (
            <CostBars series={series} grouped={groupBy !== undefined} />
          )}
          {groupBy === undefined || asTable ? null : <SeriesKey series={series} />}
        </>
      )}
    </PanelRoot>
  );
}

/** The period's sum, how it compares, and what it leaves out. */
function CostHeadline({ series }: { series: CostSeries }): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const { total, before, unpricedShare } = series;
  const change =
    total.nanoUsd === undefined || before.nanoUsd === undefined || before.nanoUsd === 0
      ? undefined
      : total.nanoUsd / before.nanoUsd - 1;
  return (
    <p className="sl-headline">
      <strong className="sl-headline-figure">
        <CostFigure cost={total} />
      </strong>
      <span>{t("cost.period")}</span>
      {change === undefined ? null : (
        <span className="sl-dim">
          {t(change < 0 ? "cost.less" : "cost.more", { share: format.percent(Math.abs(change)) })}
        </span>
      )}
      {unpricedShare === undefined || unpricedShare === 0 ? null : (
        <span className="sl-warn">{t("cost.unpriced", { share: format.percent(unpricedShare) })}</span>
      )}
    </p>
  );
}

function groupOf(value: string): CostGroup | undefined {
  return value === "workflow" || value === "model" ? value : undefined;
}
