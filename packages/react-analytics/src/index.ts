// Panels
export { CostBreakdown, type CostBreakdownProps } from "./cost-breakdown/CostBreakdown.tsx";
export { CostChart, type CostChartProps, type CostWindow } from "./cost-chart/CostChart.tsx";
export {
  ExecutionHistoryTable,
  type ExecutionHistoryTableProps,
} from "./execution-history-table/ExecutionHistoryTable.tsx";
// Their texts, for hosts that translate them
export { analyticsMessages } from "./messages.ts";
export { RunMetrics, type RunMetricsProps } from "./run-metrics/RunMetrics.tsx";
