import { SpanloomError, type TraceChanges } from "@spanloom/model";
import { makeSpan, runningTrace } from "@spanloom/model/fixtures";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPortStore } from "../adapters/port.ts";

const spans = runningTrace();
const executionId = spans[0]?.executionId ?? "";

let worker: Worker;
beforeAll(() => {
  worker = new Worker(new URL("./serve-self.test-support.ts", import.meta.url), { type: "module" });
});
afterAll(() => worker.terminate());

test("a page writes to a store in its worker and reads it, over the worker itself and over a port", async () => {
  const writer = createPortStore(worker);
  expect(await writer.write(spans)).toEqual({ written: spans.length, unchanged: 0, rejected: [] });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage("here is a port", [port2]);
  const reader = createPortStore(port1);
  expect((await reader.getTrace(executionId))?.spanCount).toBe(spans.length);
  const refusal = await reader.write(spans).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(SpanloomError);
  expect((refusal as SpanloomError).code).toBe("not_permitted");

  const late = makeSpan({ executionId, traceId: spans[0]?.traceId ?? "", spanId: "00000000000000ab" });
  const leave = new AbortController();
  const seen: TraceChanges[] = [];
  for await (const changes of reader.follow(executionId, 0, leave.signal)) {
    seen.push(changes);
    if (seen.length === 1) await writer.write([late]);
    else leave.abort();
  }
  expect(seen.map((changes) => changes.spans.length)).toEqual([spans.length, 1]);
  reader.close();
  port1.close();
});
