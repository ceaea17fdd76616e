import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";
import type { CostViewProps } from "./CostBars.tsx";
import { useSeriesName } from "./SeriesKey.tsx";

/** The chart's figures as a table. */
export function CostTable({ series, grouped }: CostViewProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const nameOf = useSeriesName();
  const keys = grouped ? series.keys : [];
  return (
    <div className="sl-table-scroll">
      <table className="sl-table">
        <thead>
          <tr>
            <th scope="col">{t("cost.day")}</th>
            {keys.map((key) => (
              <th key={key} scope="col" className="sl-number">
                <bdi>{nameOf(key)}</bdi>
              </th>
            ))}
            <th scope="col" className="sl-number">
              {t("cost.total")}
            </th>
            <th scope="col" className="sl-number">
              {t("cost.unpricedColumn")}
            </th>
          </tr>
        </thead>
        <tbody>
          {series.bars.map((bar) => (
            <tr key={bar.day}>
              <th scope="row">
                {format.day(bar.day)}
                {bar.partial ? <span className="sl-tag">{t("cost.soFar")}</span> : null}
              </th>
              {keys.map((key) => {
                const cost = bar.parts.get(key);
                return (
                  <td key={key} className="sl-number">
                    {cost === undefined ? "—" : format.costExact(cost.nanoUsd)}
                  </td>
                );
              })}
              <td className="sl-number">
                {bar.cost.priced + bar.cost.unpriced === 0 ? "—" : format.costExact(bar.cost.nanoUsd)}
              </td>
              <td className="sl-number">{format.count(bar.cost.unpriced)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
