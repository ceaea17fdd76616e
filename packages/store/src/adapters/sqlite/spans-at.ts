import type { Connection } from "./connection.ts";
import type { Place } from "./trace-order.ts";

/** A span as it stands at a place of an order. `rest` is empty where it was not asked for. */
export type SpanAt = [index: number, skeleton: string, rest: string];

/**
 * The spans at the places of an order from `start` on, read several at a time: a statement costs more than the span that it
 * finds. Spans that moved or went away since the order was made are passed over.
 */
export function* spansAt(
  db: Connection,
  execNo: number,
  order: readonly Place[],
  start: number,
  view: "skeleton" | "full",
): Generator<SpanAt> {
  // A cross join keeps its sides: the spans come in the order of the ids.
  const some = db.statement(
    `SELECT id.key, span.skeleton, ${view === "full" ? "span.rest" : "''"} FROM json_each(?) id
     CROSS JOIN span ON span.trace_no = ? AND span.span_id = id.value AND span.exec_no = ?`,
  );
  let atOnce = FIRST;
  for (let from = start, end = start; from < order.length; from = end) {
    const traceNo = (order[from] as Place)[0];
    const ids: string[] = [];
    for (; ids.length < atOnce && order[end]?.[0] === traceNo; end++) ids.push((order[end] as Place)[1]);
    const found = some.all(JSON.stringify(ids), traceNo, execNo) as SpanAt[];
    let length = 1;
    for (const [key, skeleton, rest] of found) {
      length += skeleton.length + rest.length;
      yield [from + key, skeleton, rest];
    }
    atOnce = Math.min(MOST, Math.ceil((ROOM * found.length + 1) / length));
  }
}

/** How many are read before it is known how large they are. */
const FIRST = 2;
const MOST = 128;
/** About so many characters are read at a time: nobody may want the rest of them. */
const ROOM = 500_000;
