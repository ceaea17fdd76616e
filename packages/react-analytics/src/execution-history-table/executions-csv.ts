import { type ExecutionSummary, nanosToRfc3339, usdFromNanoUsd } from "@spanloom/model";

const HEAD = [
  "execution_id",
  "start_time",
  "workflow",
  "status",
  "duration_ms",
  "cost_usd",
  "unpriced_calls",
  "nodes",
  "input_tokens",
  "output_tokens",
];

/** Executions as CSV (RFC 4180), times in UTC. What is unknown stays empty: a spreadsheet must not add it up as 0. */
export function executionsCsv(executions: readonly ExecutionSummary[]): string {
  const rows = executions.map((execution) => [
    execution.executionId,
    nanosToRfc3339(execution.startTime),
    execution.workflowName ?? execution.workflowId,
    execution.status,
    execution.durationMs,
    execution.cost.nanoUsd === undefined ? undefined : usdFromNanoUsd(execution.cost.nanoUsd).toFixed(9),
    execution.cost.unpriced,
    execution.nodeCount,
    execution.usage.input,
    execution.usage.output,
  ]);
  return [HEAD, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Spreadsheets run text that begins like a formula; an apostrophe before it makes it text. */
function cell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r\n|%]/.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""')}"`;
}
