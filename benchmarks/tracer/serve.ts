// The child's side of a measurement: runs executions when told to, and answers with what they cost.
import { setImmediate } from "node:timers/promises";
import { type Payload, SPANS } from "./workload.ts";

export interface Contender {
  /** One execution. */
  run: () => unknown;
  /** Everything is delivered: part of the cost. */
  flush: () => Promise<unknown>;
  /** Spans that came out at the far end so far. */
  delivered: () => number;
}

/** What one round cost, in microseconds of CPU per span. */
export interface Round {
  /** Of the main thread; wall time where Node cannot say (before 23.9). */
  main: number;
  /** Of all threads of the process, helpers of the collector and workers among them. */
  all: number;
  /** Spans that were made and did not come out at the far end: cheap ones. */
  lost: number;
}

/** A burst without end fills every queue, and what is dropped is cheap: so many executions, then all is delivered. */
const EXECUTIONS_IN_A_BURST: Record<Payload, number> = { S: 100, M: 100, L: 10 };

/** `[payload, variant]`, as the parent gave them. */
export const asked = { payload: (process.argv[2] ?? "S") as Payload, variant: process.argv[3] ?? "" };

/** Answers each message, which is a round's length in milliseconds, with a {@link Round}. */
export function serve({ run, flush, delivered }: Contender): void {
  let executions = 0;
  process.on("message", async (lengthMs: number) => {
    const from = executions;
    const before = delivered();
    const main = threadMicros();
    const all = processMicros();
    const started = performance.now();
    const isOver = (): boolean => {
      const elapsedMs = performance.now() - started;
      // On a busy machine a round has had little of the processor by then.
      return elapsedMs > lengthMs && (elapsedMs > lengthMs * 4 || threadMicros() - main > lengthMs * 500);
    };
    while (!isOver()) {
      await run();
      executions++;
      // A host's loop turns between executions: timers fire and promises settle, for all alike.
      await setImmediate();
      if (executions % EXECUTIONS_IN_A_BURST[asked.payload] === 0) await flush();
    }
    await flush();
    const spans = (executions - from) * SPANS;
    const round: Round = {
      main: (threadMicros() - main) / spans,
      all: (processMicros() - all) / spans,
      lost: spans - (delivered() - before),
    };
    process.send?.(round);
  });
  process.on("disconnect", () => process.exit());
  process.send?.("ready");
}

function threadMicros(): number {
  if (typeof process.threadCpuUsage !== "function") return performance.now() * 1000;
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function processMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
