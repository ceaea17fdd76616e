import { type CostSum, nanoUsdFromUsd, usdFromNanoUsd } from "@spanloom/model";
import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import {
  Bar,
  BarChart,
  CartesianGrid,
  Rectangle,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { analyticsMessages } from "../messages.ts";
import { BarTooltip } from "./BarTooltip.tsx";
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
  const highest = Math.max(...series.bars.map((bar) => bar.cost.nanoUsd ?? 0));
  return (
    <figure className="sl-chart" aria-label={t("cost.chart")}>
      <ResponsiveContainer width="100%" height={CHART_HEIGHT} initialDimension={BEFORE_MEASURED}>
        <BarChart data={series.bars} margin={{ top: 16, right: 4, bottom: 0, left: 0 }} barCategoryGap="18%">
          <CartesianGrid vertical={false} stroke="var(--spanloom-border)" />
          <XAxis
            dataKey="day"
            tickFormatter={format.day}
            tickLine={false}
            axisLine={{ stroke: "var(--spanloom-border)" }}
            minTickGap={16}
            tick={axisText}
          />
          <YAxis
            tickCount={4}
            width={60}
            domain={highest > 0 ? [0, "auto"] : [0, 1]}
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
              dataKey={(bar: CostBar) => heightOf(bar.parts.get(key))}
              name={nameOf(key)}
              stackId="cost"
              fill={grouped ? seriesColor(index) : "var(--spanloom-accent)"}
              stroke="var(--spanloom-bg)"
              strokeWidth={grouped ? 1 : 0}
              maxBarSize={44}
              isAnimationActive={false}
              // A day that is not over is paler: it is no lower than the others yet, only shorter.
              shape={({ payload, fill, ...bar }) => (
                <Rectangle {...bar} fill={isBar(payload) && payload.partial ? paler(String(fill)) : fill} />
              )}
            />
          ))}
          <Bar
            dataKey={() => 0}
            stackId="cost"
            legendType="none"
            tooltipType="none"
            isAnimationActive={false}
            maxBarSize={44}
            shape={({ payload, x, y, width }) => <BarMark bar={payload} x={x} y={y - 5} width={width} />}
          />
        </BarChart>
      </ResponsiveContainer>
    </figure>
  );
}

const CHART_HEIGHT = 220;
const BEFORE_MEASURED = { width: 640, height: CHART_HEIGHT };
const axisText = { fill: "var(--spanloom-text-dim)", fontSize: 12 } as const;

interface BarMarkProps {
  bar: unknown;
  x: number;
  y: number;
  width: number;
}

/** Over a bar that leaves something out: a lower bound, nothing known at all, or a day that is not over. */
function BarMark({ bar, x, y, width }: BarMarkProps): ReactElement | null {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  if (!isBar(bar)) return null;
  const { unpriced, nanoUsd } = bar.cost;
  const bound = unpriced === 0 ? "" : nanoUsd === undefined ? format.cost(undefined) : "≥";
  // Thin bars stand too close for a word; then only the tooltip says it.
  if (bar.partial && width >= 18) {
    return (
      <text x={x + width} y={y} textAnchor="end" fontSize={11} fill="var(--spanloom-text-dim)">
        {`${bound} ${t("cost.soFar")}`.trim()}
      </text>
    );
  }
  return bound === "" ? null : (
    <text x={x + width / 2} y={y} textAnchor="middle" fontSize={11} fill="var(--spanloom-warn)">
      {bound}
    </text>
  );
}

/** Half way to the ground, and not see-through: grid lines would show. */
function paler(color: string): string {
  return `color-mix(in srgb, ${color} 55%, var(--spanloom-bg))`;
}

/** A bar has a height, so an unknown sum is drawn as none; the mark over it says that it is unknown. */
function heightOf(cost: CostSum | undefined): number {
  return usdFromNanoUsd(cost?.nanoUsd ?? 0);
}

function isBar(value: unknown): value is CostBar {
  return typeof value === "object" && value !== null && "parts" in value && "day" in value;
}
