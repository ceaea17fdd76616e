import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import type { CostViewProps } from "./CostBars.tsx";
import type { CostBar } from "./cost-series.ts";
import { SeriesSwatch, useSeriesName } from "./SeriesKey.tsx";

/** The exact figures of one day. */
export function BarTooltip({ bar, series, grouped }: { bar: CostBar } & CostViewProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const nameOf = useSeriesName();
  const { priced, unpriced, nanoUsd } = bar.cost;
  return (
    <div className="sl-tooltip">
      <div className="sl-tooltip-title">
        <span>
          {format.day(bar.day)}
          {bar.partial ? ` · ${t("cost.soFar")}` : ""}
        </span>
        <span>{priced + unpriced === 0 ? t("cost.nothing") : format.costExact(nanoUsd)}</span>
      </div>
      {grouped
        ? series.keys.map((key, index) => {
            const part = bar.parts.get(key);
            return part === undefined ? null : (
              <div key={key} className="sl-tooltip-row">
                <SeriesSwatch index={index} />
                <bdi className="sl-series-name">{nameOf(key)}</bdi>
                <span className="sl-number">{format.costExact(part.nanoUsd)}</span>
              </div>
            );
          })
        : null}
      {unpriced > 0 ? <div className="sl-warn">{t("cost.unpricedCalls", { count: unpriced })}</div> : null}
    </div>
  );
}
