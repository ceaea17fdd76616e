import type { ExecutionStats } from "@spanloom/metrics";
import { addSums, emptySums, isZero, type Sums, sumsFrom } from "../sql/sums.ts";
import type { AnalyticsCell, UsageCell } from "./changes.ts";

/** Cells of one kind, added up by their key. */
export class UsageCells {
  private readonly cells = new Map<string, UsageCell>();

  add({ bucket, workflowId, model, sums }: UsageCell, sign: 1 | -1 = 1): void {
    const key = JSON.stringify([bucket, workflowId, model]);
    let cell = this.cells.get(key);
    if (cell === undefined) {
      cell = { bucket, workflowId, model, sums: emptySums() };
      this.cells.set(key, cell);
    }
    addSums(cell.sums, sums, sign);
    if (isZero(cell.sums)) this.cells.delete(key);
  }

  values(): Iterable<UsageCell> {
    return this.cells.values();
  }
}

export class AnalyticsCells {
  private readonly cells = new Map<string, AnalyticsCell>();

  add(added: AnalyticsCell, sign: 1 | -1 = 1): void {
    const { bucket, workflowId, dim, key, slot, count, sums } = added;
    const id = JSON.stringify([bucket, workflowId, dim, key, slot]);
    let cell = this.cells.get(id);
    if (cell === undefined) {
      cell = { bucket, workflowId, dim, key, slot, count: 0, ...(sums && { sums: emptySums() }) };
      this.cells.set(id, cell);
    }
    cell.count += sign * count;
    if (sums !== undefined && cell.sums !== undefined) addSums(cell.sums, sums, sign);
    if (cell.count === 0 && (cell.sums === undefined || isZero(cell.sums))) this.cells.delete(id);
  }

  addStats(stats: ExecutionStats, sign: 1 | -1 = 1): void {
    for (const cell of cellsOf(stats)) this.add(cell, sign);
  }

  values(): Iterable<AnalyticsCell> {
    return this.cells.values();
  }
}

/** What one execution adds to analytics, as cells. */
export function cellsOf(stats: ExecutionStats): AnalyticsCell[] {
  const { bucket, workflowId = "", status, slot, nodeTypes, models } = stats;
  const cell = (
    dim: AnalyticsCell["dim"],
    key: string,
    at: number,
    count: number,
    sums?: Sums,
  ): AnalyticsCell => ({
    ...{ bucket, workflowId, dim, key, slot: at, count },
    ...(sums && { sums }),
  });
  return [
    cell("execution", status, -1, 1),
    ...(slot === undefined ? [] : [cell("latency", "", slot, 1)]),
    ...nodeTypes.flatMap(({ key, slots, usage, cost }) => [
      cell("nodeType", key, -1, 0, sumsFrom(usage, cost)),
      ...slots.map(([at, count]) => cell("nodeType", key, at, count)),
    ]),
    ...models.flatMap(({ key, slots }) => slots.map(([at, count]) => cell("model", key, at, count))),
  ];
}
