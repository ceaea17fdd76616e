import {
  EXECUTION_SORTS,
  type ExecutionSort,
  type ExecutionStatus,
  type ExecutionSummary,
  type ListExecutionsQuery,
  type SpanRecord,
} from "@spanloom/model";
import { equal, present, rejects } from "./assert.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { at, call, root, traceIdOf } from "./spans.ts";

/** The list of executions: filters, sorts, cursors. */
export function listing({ test, needs }: Chapter): void {
  const records = sampleExecutions();

  for (const by of EXECUTION_SORTS) {
    test(`sorted by ${by}, both ways: in order, unknown last, and pages join`, async (opened) => {
      const store = opened.forScope("scope");
      await store.write(records);
      for (const direction of ["asc", "desc"] as const) {
        const sort = { by, direction };
        const whole = (await store.listExecutions({ sort, limit: 500 })).items;
        equal(whole.map(idOf).sort(), [...new Set(records.map(idOf))].sort(), `all executions, ${direction}`);
        checkOrder(whole, by, direction);
        for (const limit of [1, 4, 7]) {
          const pages = await readPages(store, { sort, limit });
          equal(pages.map(idOf), whole.map(idOf), `pages of ${limit}, ${direction}`);
        }
      }
    });
  }

  test("the newest 50 come first where nothing is asked", async (opened) => {
    const store = opened.forScope("scope");
    const many = Array.from({ length: 53 }, (_, index) => root(`run-${index}`, index + 1));
    await store.write(many);
    const page = await store.listExecutions();
    equal(page.items.map(idOf), many.map(idOf).reverse().slice(0, 50), "the first page");
    const rest = await store.listExecutions({ cursor: present(page.nextCursor, "the cursor") });
    equal(rest.items.map(idOf), ["run-2", "run-1", "run-0"], "the second page");
    equal(rest.nextCursor, undefined, "the cursor of the last page");
  });

  const filters: [name: string, query: ListExecutionsQuery, holds: (item: ExecutionSummary) => boolean][] = [
    ["workflowId", { workflowId: "workflow-1" }, (item) => item.workflowId === "workflow-1"],
    [
      "status",
      { status: ["failed", "running"] },
      ({ status }) => status === "failed" || status === "running",
    ],
    ["threadId", { threadId: "thread-0" }, (item) => item.threadId === "thread-0"],
    ["from, at or after", { from: at(10) }, (item) => BigInt(item.startTime) >= BigInt(at(10))],
    ["to, before", { to: at(10) }, (item) => BigInt(item.startTime) < BigInt(at(10))],
    ["a time with fewer digits", { from: "5", to: at(3) }, (item) => BigInt(item.startTime) < BigInt(at(3))],
    ["text in an id", { text: "UN-1" }, (item) => item.executionId.includes("un-1")],
    ["text in a workflow id", { text: "flow-2" }, (item) => item.workflowId === "workflow-2"],
    [
      "text in a name, without regard to case",
      { text: "éCLAIR" },
      (item) => item.workflowName === "Éclair (50%_x)",
    ],
    ["wildcards as they are: %", { text: "%" }, (item) => item.workflowName?.includes("%") === true],
    ["wildcards as they are: _", { text: "0%_" }, (item) => item.workflowName?.includes("0%_") === true],
    ["wildcards as they are: *", { text: "*" }, () => false],
    ["quotes", { text: "'" }, () => false],
    ["an unknown workflow", { workflowId: "workflow-9" }, () => false],
    [
      "all together",
      {
        workflowId: "workflow-0",
        status: ["completed"],
        threadId: "thread-0",
        from: at(2),
        to: at(30),
        text: "run",
      },
      (item) =>
        item.workflowId === "workflow-0" &&
        item.status === "completed" &&
        item.threadId === "thread-0" &&
        BigInt(item.startTime) >= BigInt(at(2)),
    ],
  ];
  test("filters: each gives exactly what it names, in one page and in several", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    const whole = (await store.listExecutions({ limit: 500 })).items;
    for (const [name, query, holds] of filters) {
      const wanted = whole.filter(holds);
      equal((await store.listExecutions({ ...query, limit: 500 })).items, wanted, `${name}, in one page`);
      equal(await readPages(store, { ...query, limit: 3 }), wanted, `${name}, in pages`);
    }
  });

  test("rows that come or change between pages hide no other", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    const before = (await store.listExecutions({ limit: 500 })).items.map(idOf);
    const first = await store.listExecutions({ limit: 5 });
    await store.write([root("new-first", 900), root("new-last", 901, { startTime: "5" })]);
    const cursor = present(first.nextCursor, "the cursor");
    const rest = await readPages(store, { limit: 5, cursor });
    equal([...first.items.map(idOf), ...rest.map(idOf)], [...before, "new-last"], "the pages joined");
  });

  needs("administration")("a cursor survives the deletion of its row", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    const before = (await store.listExecutions({ limit: 500 })).items.map(idOf);
    const first = await store.listExecutions({ limit: 5 });
    await store.deleteExecution?.(before[4] ?? "");
    const cursor = present(first.nextCursor, "the cursor");
    const rest = await readPages(store, { limit: 5, cursor });
    equal(rest.map(idOf), before.slice(5), "the pages after the deleted row");
  });

  test("a cursor belongs to its question", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    const cursor = present((await store.listExecutions({ limit: 2 })).nextCursor, "the cursor");
    const others: ListExecutionsQuery[] = [
      { sort: { by: "cost", direction: "desc" } },
      { sort: { by: "startTime", direction: "asc" } },
      { workflowId: "workflow-1" },
      { text: "run" },
    ];
    for (const query of others) {
      const call = (): unknown => store.listExecutions({ ...query, cursor });
      await rejects(call, "invalid_cursor", `the cursor with ${JSON.stringify(query)}`);
    }
    const trace = (await store.getTrace("run-3", { limit: 1 }))?.nextCursor;
    for (const bad of [
      "",
      "x",
      "bnVsbA",
      cursor.slice(0, -3),
      btoa("[1,2,3]"),
      present(trace, "a trace cursor"),
    ]) {
      await rejects(
        () => store.listExecutions({ cursor: bad }),
        "invalid_cursor",
        `cursor ${bad.slice(0, 40)}`,
      );
    }
    const sameQuestion = await store.listExecutions({ cursor, limit: 9 });
    equal(sameQuestion.items.length, 9, "another limit is the same question");
  });

  test("questions that cannot be answered are refused", async (opened) => {
    const store = opened.forScope("scope");
    for (const limit of [0, -1, 1.5, Number.NaN, 501]) {
      await rejects(() => store.listExecutions({ limit }), "invalid_argument", `limit ${limit}`);
    }
    await rejects(() => store.listExecutions({ text: "x".repeat(501) }), "invalid_argument", "a text of 501");
    const status = ["banana"] as unknown as ExecutionStatus[];
    await rejects(() => store.listExecutions({ status }), "invalid_argument", "a status that is none");
    const ids = Array.from({ length: 501 }, (_, index) => `run-${index}`);
    await rejects(() => store.getExecutions(ids), "limit_exceeded", "501 ids");
  });

  test("getExecutions gives what there is, in the order asked for", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    const some = await store.getExecutions(["run-3", "run-999", "run-1", "__proto__", "run-2"]);
    equal(some.map(idOf), ["run-3", "run-1", "run-2"], "the executions");
    equal(await store.getExecutions([]), [], "none asked, none given");
    const listed = (await store.listExecutions({ limit: 500 })).items.find(
      (item) => item.executionId === "run-3",
    );
    equal(some[0], listed, "the same summary as in the list");
    const { segments, nodes, outsideNodes, ...summary } = present(await store.getExecution("run-3"), "run-3");
    equal(some[0], summary, "the same summary as alone");
  });
}

/** 24 executions with ties in every column, some of it unknown. */
function sampleExecutions(): SpanRecord[] {
  return Array.from({ length: 24 }, (_, index): SpanRecord[] => {
    const traceId = traceIdOf(index + 1);
    const executionId = `run-${index}`;
    const name = index % 4 === 3 ? {} : { workflowName: ["Éclair (50%_x)", "alpha", "beta"][index % 3] };
    const isOpen = index % 6 === 1;
    const start = at(Math.floor(index / 2));
    const first = root(executionId, index + 1, {
      traceId,
      startTime: start,
      endTime: isOpen ? undefined : at(Math.floor(index / 2) + 1 + (index % 3)),
      executionStatus: isOpen ? "running" : (["completed", "failed", "cancelled"] as const)[index % 3],
      workflowId: `workflow-${index % 3}`,
      workflowName: undefined,
      ...name,
      ...(index % 2 === 0 && { threadId: `thread-${index % 4}` }),
    });
    const below = Array.from({ length: index % 4 }, (_, child) =>
      call(100 + child, index + 1, 10 * (index % 5), {
        traceId,
        executionId,
        startTime: start,
        ...(child > 0 && { nodeId: `node-${child}` }),
        ...(index % 5 === 2 && { cost: undefined }),
      }),
    );
    return [first, ...below];
  }).flat();
}

async function readPages(store: TestedStore, query: ListExecutionsQuery): Promise<ExecutionSummary[]> {
  const items: ExecutionSummary[] = [];
  let { cursor } = query;
  do {
    const page = await store.listExecutions({ ...query, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && items.length < 1_000);
  return items;
}

function checkOrder(items: readonly ExecutionSummary[], by: ExecutionSort, direction: "asc" | "desc"): void {
  const values = items.map((item) => {
    if (by === "cost") return item.cost.nanoUsd;
    return by === "startTime" ? item.startTime.padStart(19, "0") : item[by];
  });
  const known = values.filter((value) => value !== undefined);
  const sorted = known.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (direction === "desc") sorted.reverse();
  equal(values, [...sorted, ...Array(values.length - known.length).fill(undefined)], `${by}, ${direction}`);
}

function idOf(item: { executionId: string }): string {
  return item.executionId;
}
