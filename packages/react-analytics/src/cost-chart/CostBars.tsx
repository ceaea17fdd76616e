import { nanoUsdFromUsd } from "@spanloom/model";
import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { analyticsMessages } from "../messages.ts";
import type { CostBar, CostSeries } from "./cost-series.ts";
import { seriesColor, useSeriesName } from "./SeriesKey.tsx";

export interface CostViewProps {
  series: CostSeries;
  grouped: boolean;
}

/** One bar a day. The table beside it is the same for readers who cannot see bars. */
export function CostBars({ series, grouped }: CostViewProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const nameOf = useSeriesName();
  return (
    <figure className="sl-chart" aria-label={t("cost.chart")}>
      <ResponsiveContainer width="100%" height={220} initialDimension={{ width: 640, height: 220 }}>
        <BarChart data={series.bars} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} barCategoryGap="18%">
          <CartesianGrid vertical={false} stroke="var(--spanloom-border)" />
          <XAxis
            dataKey="day"
            tickFormatter={format.day}
            tickLine={false}
            axisLine={false}
            minTickGap={16}
            tick={axisText}
          />
          <YAxis
            tickCount={4}
            width={64}
            tickLine={false}
            axisLine={false}
            tick={axisText}
            tickFormatter={(usd: number) => format.cost(nanoUsdFromUsd(usd))}
          />
          <Tooltip
            isAnimationActive={false}
            cursor={{ fill: "var(--spanloom-bg-raised)" }}
            content={({ active, payload }) => {
              const bar: unknown = payload?.[0]?.payload;
              return active && isBar(bar) ? <BarTooltip bar={bar} series={series} grouped={grouped} /> : null;
            }}
          />
          {series.keys.map((key, index) => (
            <Bar
              key={key}
              dataKey={(bar: CostBar) => bar.parts[key] ?? 0}
              name={nameOf(key)}
              stackId="cost"
              fill={grouped ? seriesColor(index) : "var(--spanloom-accent)"}
              stroke="var(--spanloom-bg)"
              strokeWidth={grouped ? 1 : 0}
              maxBarSize={44}
              isAnimationActive={false}
            />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </figure>
  );
}

const axisText = { fill: "var(--spanloom-text-dim)", fontSize: 12 } as const;

function BarTooltip({ bar, series, grouped }: { bar: CostBar } & CostViewProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const nameOf = useSeriesName();
  return (
    <div className="sl-tooltip">
      <div className="sl-tooltip-title">
        {format.day(bar.day)}
        {bar.partial ? ` · ${t("cost.soFar")}` : ""}
      </div>
      <div>
        {bar.cost.priced + bar.cost.unpriced === 0 ? t("cost.nothing") : format.costExact(bar.cost.nanoUsd)}
      </div>
      {grouped
        ? series.keys
            .filter((key) => bar.parts[key] !== undefined)
            .map((key) => (
              <div key={key} className="sl-tooltip-row">
                <bdi>{nameOf(key)}</bdi>
                <span>{format.costExact(nanoUsdFromUsd(bar.parts[key] ?? 0))}</span>
              </div>
            ))
        : null}
      {bar.cost.unpriced > 0 ? (
        <div className="sl-warn">{t("cost.unpricedCalls", { count: bar.cost.unpriced })}</div>
      ) : null}
    </div>
  );
}

function isBar(value: unknown): value is CostBar {
  return typeof value === "object" && value !== null && "parts" in value && "day" in value;
}
