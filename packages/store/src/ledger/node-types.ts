import { compareText, type ExecutionStats, latencySlot } from "@spanloom/metrics";
import { millisBetween } from "@spanloom/model";
import { addSums, costSumOf, emptySums, type Sums, usageSumOf } from "../sql/sums.ts";
import type { NodeState } from "./node-state.ts";

/** What an execution's nodes add to analytics by their type, kept by differences of the nodes that changed. */
export class NodeTypes {
  private readonly types = new Map<string, { nodes: number; sums: Sums; slots: Map<number, number> }>();
  private readonly counted = new Map<NodeState, Counted>();
  private readonly changed = new Set<NodeState>();

  change(node: NodeState): void {
    this.changed.add(node);
  }

  /** As `executionStats` gives them. */
  list(): ExecutionStats["nodeTypes"] {
    for (const node of this.changed) this.recount(node);
    this.changed.clear();
    return [...this.types]
      .sort(([a], [b]) => compareText(a, b))
      .map(([key, { sums, slots }]) => ({
        key,
        usage: usageSumOf(sums),
        cost: costSumOf(sums),
        slots: [...slots].sort(([a], [b]) => a - b),
      }));
  }

  private recount(node: NodeState): void {
    const before = this.counted.get(node);
    if (before !== undefined) this.add(before, -1);
    if (node.spanCount === 0) {
      this.counted.delete(node);
      return;
    }
    const { nodeType = "", status, startTime, endTime } = node.totals().summary;
    const ended = status !== "running" && endTime !== undefined;
    const slot = ended ? latencySlot(millisBetween(startTime, endTime)) : undefined;
    const now = { key: nodeType, sums: [...node.sums], slot };
    this.counted.set(node, now);
    this.add(now, 1);
  }

  private add({ key, sums, slot }: Counted, sign: 1 | -1): void {
    const type = this.types.get(key) ?? { nodes: 0, sums: emptySums(), slots: new Map<number, number>() };
    type.nodes += sign;
    addSums(type.sums, sums, sign);
    if (slot !== undefined) {
      const count = (type.slots.get(slot) ?? 0) + sign;
      if (count === 0) type.slots.delete(slot);
      else type.slots.set(slot, count);
    }
    if (type.nodes === 0) this.types.delete(key);
    else this.types.set(key, type);
  }
}

interface Counted {
  key: string;
  sums: Sums;
  slot: number | undefined;
}
