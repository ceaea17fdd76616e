import type { SpanRecord } from "@spanloom/model";
import type { LedgerChanges, Missing, SpanRef, StoredPart } from "./changes.ts";
import { HeldTrace } from "./held.ts";
import { HeldExecution } from "./held-execution.ts";
import { holdPart } from "./hold-part.ts";

export interface LedgerOptions {
  /** Spans to hold at most, but for those of the change at hand: 200,000 where absent. */
  mostSpans?: number;
}

/**
 * The part of a scope that is in memory: whole components, executions with all that share traces with them. What was not
 * used for the longest time is let go of.
 */
export class Holding {
  protected readonly traces: Map<string, HeldTrace> = new Map();
  protected readonly executions: Map<string, HeldExecution> = new Map();
  protected spanCount = 0;
  private readonly mostSpans: number;
  /** Counts changes, to tell what was used last. */
  private tick = 1;

  constructor({ mostSpans = 200_000 }: LedgerOptions = {}) {
    this.mostSpans = mostSpans;
  }

  /** What must be loaded before these records can be applied, with all that is connected to it. */
  missing(records: readonly Pick<SpanRecord, "traceId" | "executionId">[]): Missing {
    return this.missingIds({
      traceIds: records.map((record) => record.traceId),
      executionIds: records.map((record) => record.executionId),
    });
  }

  /** Those of the traces and executions that are not held. */
  missingIds({ traceIds, executionIds }: Missing): Missing {
    return {
      traceIds: [...new Set(traceIds.filter((id) => !this.traces.has(id)))],
      executionIds: [...new Set([...executionIds, ...traceIds].filter((id) => !this.executions.has(id)))],
    };
  }

  /** Takes whole components as the backing has them; ids that it does not know are remembered as not there. See `loadComponents`. */
  load(covered: Missing, part: StoredPart): void {
    this.forget(covered);
    holdPart({ traces: this.traces, executions: this.executions }, covered, part);
    for (const id of covered.executionIds) this.executionOf(id);
    this.spanCount += part.spans.length;
  }

  /** The execution where it is held, whether it has spans or only a feed; `undefined` where it is not held or never was. */
  execution(executionId: string): HeldExecution | undefined {
    const execution = this.executions.get(executionId);
    if (execution === undefined || execution.seq === 0) return undefined;
    execution.usedAt = this.tick;
    return execution;
  }

  /** Whether that span is there and belongs to that execution, as far as they are held. */
  belongs({ traceId, spanId }: SpanRef, executionId: string): boolean {
    return this.traces.get(traceId)?.spans.get(spanId)?.view.executionId === executionId;
  }

  /** All that are held and have spans. */
  *heldExecutions(): Generator<HeldExecution, void, undefined> {
    for (const execution of this.executions.values()) if (execution.spanCount > 0) yield execution;
  }

  /** Every trace and execution that is connected with these, as far as they are held. */
  component({ traceIds, executionIds }: Missing): Missing {
    const traces = new Set<string>();
    const executions = new Set<string>();
    const open: (() => void)[] = [];
    const addTrace = (id: string): void => {
      const trace = this.traces.get(id);
      if (trace === undefined || traces.has(id)) return;
      traces.add(id);
      open.push(() => {
        for (const executionId of trace.executions.keys()) addExecution(executionId);
        addExecution(id);
      });
    };
    const addExecution = (id: string): void => {
      const execution = this.executions.get(id);
      if (execution === undefined || executions.has(id)) return;
      executions.add(id);
      open.push(() => {
        for (const traceId of execution.traces.keys()) addTrace(traceId);
        addTrace(id);
      });
    };
    traceIds.forEach(addTrace);
    executionIds.forEach(addExecution);
    for (let next = open.pop(); next !== undefined; next = open.pop()) next();
    return { traceIds: [...traces], executionIds: [...executions] };
  }

  /** After changes that could not be saved: lets go of all that they touched, for the backing is the truth. */
  forgetChanges(changes: LedgerChanges): void {
    const spans = [...changes.spans.map(({ facts }) => facts), ...changes.removed];
    this.forget({
      traceIds: [...spans, ...changes.traces].map(({ traceId }) => traceId),
      // Also those that are connected with nothing any more.
      executionIds: [...changes.executions.map(({ executionId }) => executionId), ...changes.forgotten],
    });
  }

  /** Lets go of these and all that is connected with them. */
  forget(ids: Missing): void {
    const { traceIds, executionIds } = this.component(ids);
    for (const id of executionIds) this.executions.delete(id);
    for (const id of traceIds) {
      this.spanCount -= this.traces.get(id)?.spans.size ?? 0;
      this.traces.delete(id);
    }
  }

  /** Lets go of what was not used for the longest time, when the bound is reached. Between changes only. */
  trim(): void {
    const size = (): number => this.spanCount + this.executions.size;
    if (size() <= this.mostSpans) return;
    const byUse = [...this.executions.values()].sort((a, b) => a.usedAt - b.usedAt);
    for (const { executionId, usedAt } of byUse) {
      // Some room, so that not every change has to look for more.
      if (usedAt === this.tick || size() <= this.mostSpans * 0.8) return;
      const component = this.component({ traceIds: [], executionIds: [executionId] });
      // It goes when its member that was used last has its turn.
      const used = component.executionIds.some((id) => (this.executions.get(id)?.usedAt ?? 0) > usedAt);
      if (!used) this.forget(component);
    }
  }

  /** After each change. */
  protected changed(): void {
    this.trim();
    this.tick++;
  }

  protected traceOf(traceId: string): HeldTrace {
    let trace = this.traces.get(traceId);
    if (trace === undefined) {
      trace = new HeldTrace(traceId);
      this.traces.set(traceId, trace);
    }
    return trace;
  }

  protected executionOf(executionId: string): HeldExecution {
    let execution = this.executions.get(executionId);
    if (execution === undefined) {
      execution = new HeldExecution(executionId);
      this.executions.set(executionId, execution);
    }
    execution.usedAt = this.tick;
    return execution;
  }
}
