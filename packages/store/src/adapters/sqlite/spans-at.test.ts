import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createRandom } from "../../testing/random.ts";
import { openConnection } from "./connection.ts";
import { createEngine } from "./engine.ts";
import { spansAt } from "./spans-at.ts";
import { type Place, readOrder } from "./trace-order.ts";

test("spans come in the order asked for, across traces, sizes and gaps", () => {
  const db = openConnection({ path: ":memory:", durability: "process-crash", migrations: "run" });
  const engine = createEngine(db);
  engine.write(
    "scope",
    Array.from({ length: 600 }, (_, index) =>
      makeSpan({
        traceId: String((index % 3) + 1).padStart(32, "a"),
        spanId: String(index).padStart(16, "b"),
        executionId: "run",
        // Some so large that only one of them is read at a time.
        input: { format: "text", state: "captured", text: "x".repeat(index % 50 === 0 ? 600_000 : 10) },
      }),
    ),
  );
  const stored = readOrder(db, 1, Number.MAX_SAFE_INTEGER);
  expect(stored).toHaveLength(600);
  const gaps = stored.slice(0, 90).map(([traceNo], index): Place => [traceNo, `gone ${index}`]);
  // In runs of one trace, and shuffled.
  const order = [...stored.toSorted(([a], [b]) => a - b), ...createRandom(1).shuffled([...stored, ...gaps])];
  for (const view of ["skeleton", "full"] as const) {
    for (const start of [0, 7, 599, order.length]) {
      const found = [...spansAt(db, 1, order, start, view)].map(([index, skeleton, rest]) => [
        index,
        JSON.parse(skeleton).spanId,
        rest === "" ? undefined : JSON.parse(rest).input.format,
      ]);
      const wanted = order
        .map(([, spanId], index) => [index, spanId, view === "full" ? "text" : undefined])
        .filter(([index, spanId]) => Number(index) >= start && !String(spanId).startsWith("gone"));
      expect(found).toEqual(wanted);
    }
  }
  engine.close();
});
