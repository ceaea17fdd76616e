import { AnalyticsDraft, type AnalyticsRowDraft } from "@spanloom/metrics";
import {
  type Analytics,
  type AnalyticsQuery,
  EXECUTION_STATUSES,
  type ExecutionStatus,
} from "@spanloom/model";
import { costSumOf, SUM_COLUMNS, usageSumOf } from "../../sql/sums.ts";
import type { Session } from "./database.ts";
import { DIM, type Names } from "./names.ts";
import { GRAINS, grainsOf, KEYED_GRAINS, STAT } from "./stat-rows.ts";
import { sumWindows, type Window, type WindowSums } from "./sum-windows.ts";

/** What ran over a window of local days, from sums on the UTC grid. The query is checked at once. */
export function analytics(
  query: AnalyticsQuery,
  nowMs: number,
): (session: Session, schema: string, names: Names, scopeNo: number | undefined) => Promise<Analytics> {
  const draft = new AnalyticsDraft(query, nowMs);
  const { groupBy, workflowId } = query;
  return async (session, schema, names, scopeNo) => {
    const workflowNo =
      scopeNo === undefined || workflowId === undefined
        ? undefined
        : await names.findDim(session, scopeNo, DIM.workflow, workflowId);
    if (scopeNo === undefined || (workflowId !== undefined && workflowNo === undefined))
      return draft.finish();

    const { days } = draft;
    const whole = { startSeconds: days[0]?.startSeconds ?? 0, endSeconds: days.at(-1)?.endSeconds ?? 0 };
    const only = workflowNo === undefined ? undefined : `u.workflow_no = ${workflowNo}`;
    const filtered = workflowNo === undefined ? 0 : 1;
    const sum = (
      windows: readonly Window[],
      asked: Omit<WindowSums, "table" | "where"> & { table: string; where?: string },
    ) => {
      const where = [only, asked.where].filter((part) => part !== undefined).join(" AND ");
      return sumWindows(session, scopeNo, windows, {
        ...asked,
        table: `${schema}.${asked.table}`,
        ...(where !== "" && { where }),
      });
    };
    const stat = (
      windows: readonly Window[],
      kind: number,
      cube: number,
      by: string,
      grains: readonly number[],
    ) =>
      sum(windows, {
        table: "stat",
        where: `u.kind = ${kind}`,
        cube,
        by: `${by}, u.slot`,
        columns: ["n"],
        grains,
      });

    const byDay = groupBy === "day";
    const windows = byDay ? days : [whole];
    const split = groupBy === "workflow";
    const cube = split ? 1 : filtered;
    const own = split ? "u.workflow_no" : "u.cube";
    const executions = (await sum(windows, {
      ...{ table: "stat", where: `u.kind = ${STAT.status}`, cube, by: `${own}, u.key_no` },
      ...{ columns: ["n"], grains: GRAINS },
    })) as Counted[];
    const latencies = (await stat(windows, STAT.latency, cube, own, GRAINS)) as Counted[];
    const spent = await sum(windows, { table: "usage", cube, by: own, columns: SUM_COLUMNS, grains: GRAINS });
    const byType = groupBy === "nodeType";
    const byModel = groupBy === "model";
    const slots =
      byType || byModel
        ? ((await stat(
            [whole],
            byType ? STAT.nodeType : STAT.model,
            filtered,
            "u.key_no",
            KEYED_GRAINS,
          )) as Counted[])
        : [];
    const keyed = byType
      ? await sum([whole], {
          table: "stat_usage",
          cube: filtered,
          by: "u.type_no",
          columns: SUM_COLUMNS,
          grains: KEYED_GRAINS,
        })
      : byModel
        ? await sum([whole], {
            table: "usage",
            cube: filtered | 2,
            by: "u.model_no",
            columns: SUM_COLUMNS,
            grains: grainsOf(filtered | 2),
          })
        : [];

    const shown = split ? [...executions, ...latencies, ...spent] : [...slots, ...keyed];
    const values = await names.values(
      session,
      shown.map((row) => row[1]),
    );
    const rowsOf = (window: number, no: number): AnalyticsRowDraft[] =>
      draft.rows(byDay ? days[window]?.day : split ? values.get(no) : undefined);
    for (const [window, no, status, count] of executions) {
      for (const row of rowsOf(window, no))
        row.addExecution(EXECUTION_STATUSES[status] as ExecutionStatus, count);
    }
    for (const [window, no, slot, count] of latencies) {
      for (const row of rowsOf(window, no)) row.addLatency(slot, count);
    }
    for (const [window, no, ...sums] of spent) {
      for (const row of rowsOf(window, no)) row.addSums(usageSumOf(sums), costSumOf(sums));
    }
    for (const [, no, slot, count] of slots) draft.group(values.get(no) ?? "").addLatency(slot, count);
    for (const [, no, ...sums] of keyed) {
      draft.group(values.get(no) ?? "").addSums(usageSumOf(sums), costSumOf(sums));
    }
    return draft.finish();
  };
}

type Counted = [window: number, key: number, slotOrStatus: number, count: number];
