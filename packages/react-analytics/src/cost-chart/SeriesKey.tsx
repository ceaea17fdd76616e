import { emptyCostSum } from "@spanloom/model";
import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import { type CostSeries, OTHER } from "./cost-series.ts";

/** Which colour is which group, with what it cost: a legend that is also the ranking. */
export function SeriesKey({ series }: { series: CostSeries }): ReactElement {
  const format = useFormat();
  const nameOf = useSeriesName();
  return (
    <ul className="sl-series">
      {series.keys.map((key, index) => {
        const cost = series.totals.get(key) ?? emptyCostSum();
        return (
          <li key={key} className="sl-series-item">
            <svg className="sl-series-swatch" viewBox="0 0 10 10" aria-hidden="true">
              <rect width="10" height="10" fill={seriesColor(index)} />
            </svg>
            <bdi className="sl-series-name">{nameOf(key)}</bdi>
            <span className="sl-number" title={format.costExact(cost.nanoUsd)}>
              {cost.nanoUsd !== undefined && cost.unpriced > 0 ? "≥ " : ""}
              {format.cost(cost.nanoUsd)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export function seriesColor(index: number): string {
  return `var(--spanloom-series-${(index % 6) + 1})`;
}

/** What a group is called on screen: unnamed and smaller groups have words of their own. */
export function useSeriesName(): (key: string) => string {
  const t = useMessages(analyticsMessages);
  return (key) => (key === OTHER ? t("cost.others") : key === "" ? t("cost.unnamed") : key);
}
