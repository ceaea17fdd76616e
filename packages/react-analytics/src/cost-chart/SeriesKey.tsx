import { emptyCostSum } from "@spanloom/model";
import { useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { CostFigure } from "../CostFigure.tsx";
import { analyticsMessages } from "../messages.ts";
import { type CostSeries, OTHER } from "./cost-series.ts";

/** Which colour is which group, with what it cost: a legend that is also the ranking. */
export function SeriesKey({ series }: { series: CostSeries }): ReactElement {
  const nameOf = useSeriesName();
  return (
    <ul className="sl-series">
      {series.keys.map((key, index) => {
        const cost = series.totals.get(key) ?? emptyCostSum();
        return (
          <li key={key} className="sl-series-item">
            <SeriesSwatch index={index} />
            <bdi className="sl-series-name">{nameOf(key)}</bdi>
            <CostFigure cost={cost} />
          </li>
        );
      })}
    </ul>
  );
}

export function SeriesSwatch({ index }: { index: number }): ReactElement {
  return (
    <svg className="sl-series-swatch" viewBox="0 0 10 10" aria-hidden="true">
      <rect width="10" height="10" fill={seriesColor(index)} />
    </svg>
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
