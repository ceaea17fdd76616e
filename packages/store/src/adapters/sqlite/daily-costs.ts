import { localDays, toDailyCost } from "@spanloom/metrics";
import type { CostGroup, CostGroupSum, DailyCosts, DailyCostsQuery } from "@spanloom/model";
import { COST_GROUPS } from "@spanloom/model";
import { checkOneOf } from "../../check-arguments.ts";
import { addSums, costSumOf, emptySums, SUMS_READ, type Sums, usageSumOf } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import { DIM, type Names } from "./names.ts";
import { GRAINS } from "./rollups.ts";

/** Sums by workflow or model number; by 0 where they are not split. */
type Groups = Map<number, Sums>;

/**
 * Local days from sums on the UTC grid: whole UTC days, and at each end of a local day what lies between it and the
 * nearest UTC midnight, in the coarsest grains that fit. A year in any zone reads a few hundred rows a group.
 */
export function readDailyCosts(
  db: Connection,
  names: Names,
  scope: string,
  query: DailyCostsQuery,
  nowMs: number,
): DailyCosts {
  const groupBy = checkOneOf(query.groupBy, "groupBy", COST_GROUPS, undefined);
  const days = localDays(query, nowMs);
  const sumsBetween = rangeReader(db, names, scope, groupBy, query.workflowId);
  const edges = new Map<number, Edge>();
  const edgeAt = (seconds: number): Edge => {
    let edge = edges.get(seconds);
    if (edge === undefined) {
      edge = readEdge(seconds, sumsBetween);
      edges.set(seconds, edge);
    }
    return edge;
  };
  return {
    timeZone: query.timeZone,
    ...(groupBy !== undefined && { groupBy }),
    days: days.map((day) => {
      const groups: Groups = new Map();
      const start = edgeAt(day.startSeconds);
      const end = edgeAt(day.endSeconds);
      sumsBetween(groups, DAY, start.midnight, end.midnight, 1);
      mergeGroups(groups, end.beyond, 1);
      mergeGroups(groups, start.beyond, -1);
      return toDay(names, day, groups, groupBy);
    }),
  };
}

const [QUARTER, HOUR, FOUR_HOURS, DAY] = GRAINS;

/** What lies between a point on the quarter-hour grid and the UTC midnight nearest to it, signed. */
interface Edge {
  midnight: number;
  beyond: Groups;
}

type RangeReader = (into: Groups, grain: number, from: number, to: number, sign: 1 | -1) => void;

function readEdge(seconds: number, sumsBetween: RangeReader): Edge {
  const nearest = (grain: number): number => Math.floor(seconds / grain + 0.5) * grain;
  const beyond: Groups = new Map();
  const midnight = nearest(DAY);
  sumsBetween(beyond, FOUR_HOURS, midnight, nearest(FOUR_HOURS), 1);
  sumsBetween(beyond, HOUR, nearest(FOUR_HOURS), nearest(HOUR), 1);
  sumsBetween(beyond, QUARTER, nearest(HOUR), seconds, 1);
  return { midnight, beyond };
}

function rangeReader(
  db: Connection,
  names: Names,
  scope: string,
  groupBy: CostGroup | undefined,
  workflowId: string | undefined,
): RangeReader {
  const scopeNo = names.findScope(scope);
  const workflowNo =
    scopeNo === undefined || workflowId === undefined
      ? undefined
      : names.findDim(scopeNo, DIM.workflow, workflowId);
  if (scopeNo === undefined || (workflowId !== undefined && workflowNo === undefined)) return () => {};
  const cube = (groupBy === "workflow" || workflowNo !== undefined ? 1 : 0) | (groupBy === "model" ? 2 : 0);
  const group = groupBy === undefined ? "0" : `${groupBy}_no`;
  const statement = db.statement(
    `SELECT ${group}, ${SUMS_READ} FROM usage WHERE scope_no = ? AND cube = ? AND grain = ? AND bucket >= ? AND bucket < ?
     ${workflowNo === undefined ? "" : "AND workflow_no = ?"}`,
  );
  const only = workflowNo === undefined ? [] : [workflowNo];
  const read: RangeReader = (into, grain, from, to, sign) => {
    if (from > to) read(into, grain, to, from, sign === 1 ? -1 : 1);
    if (from >= to) return;
    const rows = statement.all(scopeNo, cube, grain, from, to, ...only) as [number, ...Sums][];
    for (const [key, ...sums] of rows) {
      addGroup(into, key, sums, sign);
    }
  };
  return read;
}

function addGroup(groups: Groups, key: number, sums: Sums, sign: 1 | -1): void {
  let group = groups.get(key);
  if (group === undefined) {
    group = emptySums();
    groups.set(key, group);
  }
  addSums(group, sums, sign);
}

function mergeGroups(groups: Groups, others: Groups, sign: 1 | -1): void {
  for (const [key, sums] of others) addGroup(groups, key, sums, sign);
}

function toDay(
  names: Names,
  day: Parameters<typeof toDailyCost>[0],
  groups: Groups,
  groupBy: CostGroup | undefined,
): DailyCosts["days"][number] {
  const total = emptySums();
  const shown: CostGroupSum[] = [];
  for (const [no, sums] of groups) {
    addSums(total, sums);
    if (groupBy === undefined || sums.every((value) => value === 0)) continue;
    shown.push({ key: names.value(no), usage: usageSumOf(sums), cost: costSumOf(sums) });
  }
  return toDailyCost(day, { usage: usageSumOf(total), cost: costSumOf(total) }, shown);
}
