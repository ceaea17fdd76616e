import {
  type DailyCost,
  type DailyCosts,
  type ExecutionSummary,
  millisOf,
  usdFromNanoUsd,
} from "@spanloom/model";
import type { ReactElement } from "react";
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";

/** The chart that a host would draw with recharts itself, in one screen of code. */
export function PlainChart({ costs, days }: { costs: DailyCosts; days: number }): ReactElement {
  const shown = costs.days.slice(-days);
  const keys = [...new Set(shown.flatMap((day) => day.groups.map((group) => group.key)))];
  return (
    <ResponsiveContainer width="100%" height={220}>
      <BarChart data={shown}>
        <CartesianGrid vertical={false} />
        <XAxis dataKey="day" />
        <YAxis />
        <Tooltip />
        {keys.map((key) => (
          <Bar
            key={key}
            dataKey={(day: DailyCost) => usdOf(day, key)}
            stackId="cost"
            isAnimationActive={false}
          />
        ))}
      </BarChart>
    </ResponsiveContainer>
  );
}

/** The same rows as plain HTML, with formats made once. */
export function PlainTable({ executions }: { executions: ExecutionSummary[] }): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          {["Date", "Workflow", "Status", "Duration", "Cost", "Nodes"].map((head) => (
            <th key={head}>{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {executions.map((execution) => (
          <tr key={execution.executionId}>
            <td>{dates.format(millisOf(execution.startTime))}</td>
            <td>{execution.workflowName}</td>
            <td>{execution.status}</td>
            <td>{((execution.durationMs ?? 0) / 1000).toFixed(1)} s</td>
            <td>{money.format(usdFromNanoUsd(execution.cost.nanoUsd ?? 0))}</td>
            <td>{execution.nodeCount}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const dates = new Intl.DateTimeFormat("en", { dateStyle: "short", timeStyle: "medium" });
const money = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });

function usdOf(day: DailyCost, key: string): number {
  return usdFromNanoUsd(day.groups.find((group) => group.key === key)?.cost.nanoUsd ?? 0);
}
