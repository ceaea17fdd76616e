import { localDays, toDailyCost } from "@spanloom/metrics";
import { COST_GROUPS, type CostGroupSum, type DailyCosts, type DailyCostsQuery } from "@spanloom/model";
import { checkOneOf } from "../../check-arguments.ts";
import { addSums, costSumOf, emptySums, isZero, SUM_COLUMNS, type Sums, usageSumOf } from "../../sql/sums.ts";
import type { Session } from "./database.ts";
import { DIM, type Names } from "./names.ts";
import { grainsOf } from "./stat-rows.ts";
import { sumWindows } from "./sum-windows.ts";

/** Local days from sums on the UTC grid. The query is checked at once. */
export function dailyCosts(
  query: DailyCostsQuery,
  nowMs: number,
): (session: Session, schema: string, names: Names, scopeNo: number | undefined) => Promise<DailyCosts> {
  const { timeZone, workflowId } = query;
  const groupBy = checkOneOf(query.groupBy, "groupBy", COST_GROUPS, undefined);
  const days = localDays(query, nowMs);
  return async (session, schema, names, scopeNo) => {
    const byDay = days.map(() => new Map<number, Sums>());
    const workflowNo =
      scopeNo === undefined || workflowId === undefined
        ? undefined
        : await names.findDim(session, scopeNo, DIM.workflow, workflowId);
    if (scopeNo !== undefined && (workflowId === undefined || workflowNo !== undefined)) {
      const cube =
        (groupBy === "workflow" || workflowNo !== undefined ? 1 : 0) | (groupBy === "model" ? 2 : 0);
      const rows = await sumWindows(session, scopeNo, days, {
        table: `${schema}.usage`,
        cube,
        ...(workflowNo !== undefined && { where: `u.workflow_no = ${workflowNo}` }),
        by: groupBy === undefined ? "u.cube" : `u.${groupBy}_no`,
        columns: SUM_COLUMNS,
        grains: grainsOf(cube),
      });
      for (const [day, key, ...sums] of rows) byDay[day]?.set(key, sums);
    }
    const keys = groupBy === undefined ? [] : byDay.flatMap((groups) => [...groups.keys()]);
    const values = await names.values(session, keys);
    return {
      timeZone,
      ...(groupBy !== undefined && { groupBy }),
      days: days.map((day, index) => {
        const total = emptySums();
        const shown: CostGroupSum[] = [];
        for (const [no, sums] of byDay[index] ?? []) {
          addSums(total, sums);
          if (groupBy === undefined || isZero(sums)) continue;
          shown.push({ key: values.get(no) ?? "", usage: usageSumOf(sums), cost: costSumOf(sums) });
        }
        return toDailyCost(day, { usage: usageSumOf(total), cost: costSumOf(total) }, shown);
      }),
    };
  };
}
