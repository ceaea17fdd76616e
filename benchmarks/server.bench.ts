import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeTrace } from "@spanloom/model/fixtures";
import { allowAll, createHandler } from "@spanloom/server";
import { createHttpStore } from "@spanloom/store/http";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { type BenchCase, type BenchResult, summarize } from "./bench.ts";

const ROUNDS = 41;
const WARM_UP = 15;
const BUDGET = 1.5;

/** What REST adds to reading a trace from SQLite: previews, names of the wire, tags, packing; and its client to that. */
export default async function server(): Promise<BenchResult> {
  const directory = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
  const path = join(directory, "traces.db");
  const cases: BenchCase[] = [];
  try {
    // In this thread, so that all of the work is in the figures; the worker is what hosts have.
    for (const worker of [false, true]) {
      const store = createSqliteStore({ path, worker, retention: false });
      const scoped = store.forScope("default");
      await scoped.write(makeTrace({ spans: 500, executionId: "typical", seed: 1 }));
      await scoped.write(makeTrace({ spans: 10_000, executionId: "large", seed: 2 }));
      const database = new DatabaseSync(path, { readOnly: true });
      const where = worker ? "in a worker" : "in this thread";
      const handler = createHandler({ store, authorize: allowAll(), readOnly: true });
      for (const reading of READINGS) {
        const { executionId, view } = reading;
        const url = `http://host.test/executions/${executionId}/trace?view=${view}`;
        const etag = (await handler(new Request(url))).headers.get("etag") ?? "";
        const ask = (headers: Record<string, string>) => async (): Promise<unknown> =>
          (await handler(new Request(url, { headers }))).arrayBuffer();
        const works: Record<string, () => Promise<unknown>> = {
          ...(worker ? {} : { "bare rows and JSON.stringify": bareRows(database, reading) }),
          "getTrace and JSON.stringify": async () =>
            JSON.stringify(await scoped.getTrace(executionId, { view })),
          "REST body": ask({}),
          "REST body, gzip": ask({ "accept-encoding": "gzip" }),
          "REST, not modified": ask({ "if-none-match": etag }),
          "REST and its client": () =>
            createHttpStore({
              baseUrl: "http://host.test",
              fetch: (address, init) => handler(new Request(address, init)),
            }).getTrace(executionId, { view }),
        };
        cases.push(...(await measure(`${reading.name}, ${where}`, works)));
      }
      database.close();
      await store.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { cases, budgets: [budgetOf(cases, "in this thread"), budgetOf(cases, "in a worker")] };
}

interface Reading {
  executionId: string;
  view: "full" | "skeleton";
  name: string;
}

const READINGS: Reading[] = [
  { executionId: "typical", view: "full", name: "500 spans" },
  { executionId: "large", view: "skeleton", name: "10,000 skeletons" },
];

/** The least that any reader does: the rows of the file, parsed, and written out as JSON again. */
function bareRows(database: DatabaseSync, { executionId, view }: Reading): () => Promise<string> {
  const statement = database.prepare(
    `SELECT skeleton${view === "full" ? ", rest" : ""} FROM span
     WHERE exec_no = (SELECT exec_no FROM execution WHERE execution_id = ?)`,
  );
  return async () => {
    const rows = statement.all(executionId) as { skeleton: string; rest?: string }[];
    const spans = rows.map(({ skeleton, rest }) =>
      rest === undefined ? JSON.parse(skeleton) : { ...JSON.parse(skeleton), ...JSON.parse(rest) },
    );
    return JSON.stringify(spans);
  };
}

/**
 * Runs one of each in turn and states each against the first of the same turn: a busy moment of the machine hits both, so
 * that the median of these ratios stays where the medians of the times wander.
 */
async function measure(name: string, works: Record<string, () => Promise<unknown>>): Promise<BenchCase[]> {
  const rounds = Object.keys(works).map((): number[] => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [index, run] of Object.values(works).entries()) {
      const start = performance.now();
      await run();
      if (round >= 0) rounds[index]?.push(performance.now() - start);
    }
  }
  const [base = []] = rounds;
  const [first = ""] = Object.keys(works);
  return Object.keys(works).map((work, index) => {
    const times = rounds[index] ?? [];
    const measured = summarize(`${name}: ${work}`, "ms", times);
    if (index === 0) return measured;
    const ratios = times.map((time, round) => time / (base[round] ?? Number.NaN));
    return { ...measured, ratioTo: { case: first, ratio: summarize(work, "x", ratios).median } };
  });
}

function budgetOf(cases: readonly BenchCase[], where: string): BenchResult["budgets"][number] {
  const found = cases.find((one) => one.name === `500 spans, ${where}: REST body`)?.ratioTo;
  const ratio = found?.ratio ?? Number.NaN;
  return {
    what: `500-span trace, SQLite ${where} to REST body, against ${found?.case}`,
    limit: `<= ${BUDGET}x`,
    value: `${ratio.toFixed(2)}x`,
    ok: ratio <= BUDGET,
  };
}
