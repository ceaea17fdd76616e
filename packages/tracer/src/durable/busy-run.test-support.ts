// A host of its own, to be killed: runs workflows without end and writes down what was accepted.
import { openSync, writeSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { createDiskSpool } from "./disk-spool.ts";

export interface BusyRun {
  database: string;
  directory: string;
  ledger: string;
  mode: "batched" | "immediate";
  url: string;
  seed: number;
  /** The store hangs now and then, so that a crash finds records in every place. */
  slowStore: boolean;
}

/** Tokens that every model call reports. */
export const TOKENS = 7;

/** Where the program is. */
export const program: string = import.meta.filename;

if (process.argv[1] === program) await run(JSON.parse(process.argv[2] ?? "") as BusyRun);

async function run({ database, directory, ledger, mode, url, seed, slowStore }: BusyRun): Promise<void> {
  const store = createSqliteStore({ path: database, retention: false }).forScope("default");
  const file = openSync(ledger, "a");
  let handedAt = 0;
  /** Just before a span is handed over. On a busy machine any time may pass between that and the note of it. */
  const handOver = (): void => {
    handedAt = performance.now();
  };
  // A line is in the ledger only after the tracer has accepted the span.
  const note = (kind: string, spanId: string, result = ""): void => {
    const line = { kind, spanId, result, handedAt, notedAt: performance.now() };
    writeSync(file, `${JSON.stringify(line)}\n`);
  };
  let writes = 0;
  const tracer = createWorkflowTracer({
    store: {
      async write(spans) {
        if (slowStore && ++writes % 3 === 0) await setTimeout(400);
        return store.write(spans);
      },
    },
    otlp: { url },
    durability: createDiskSpool({ directory, mode }),
    onProblem: ({ code, where, cause }) => {
      // Spans wait for a slow store as they should; anything else is worth knowing when spans are missing.
      if (code !== "delivery_failed") console.error(code, where, cause);
    },
  });
  for (let turn = 0; ; turn++) {
    const workflowId = `w-${seed}-${turn}`;
    const execution = tracer.startExecution({ workflowId, input: workflowId });
    for (let step = 0; step < 3; step++) {
      let spanId = "";
      const result = execution.node({ id: `n${step}` }, (node) => {
        const llm = node.startLlm({ model: "gpt-4.1-mini", provider: "openai" });
        llm.setUsage({ input: TOKENS });
        handOver();
        llm.end();
        note("llm", llm.spanId);
        spanId = node.spanId;
        handOver();
        return step * 2;
      });
      note("node", spanId, String(result));
    }
    handOver();
    execution.end();
    note("root", execution.spanId, workflowId);
    await (turn % 5 === 0 ? setTimeout(1) : setImmediate());
  }
}
