import type { ScopedStore, SpanRecord } from "@spanloom/model";
import { makeSpan, sampleTrace } from "@spanloom/model/fixtures";
import { PROBLEM_JSON, type Problem } from "@spanloom/model/http";
import { createMemoryStore } from "@spanloom/store";
import { allowAll } from "./authorize.ts";
import { createHandler, type HandlerOptions } from "./create-handler.ts";

const BASE = "http://host.test/api/spanloom";

export interface TestServer {
  store: ScopedStore;
  spans: SpanRecord[];
  executionId: string;
  errors: unknown[];
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  send(path: string, init: RequestInit): Promise<Response>;
}

/** A span that comes after the trace was written. */
export function lateSpan({ spans, executionId }: Pick<TestServer, "spans" | "executionId">): SpanRecord {
  const traceId = spans[0]?.traceId ?? "";
  return makeSpan({ executionId, traceId, parentSpanId: spans[0]?.spanId ?? "", spanId: "00000000000000ab" });
}

/** The problem document that a refused request gets. */
export async function problemOf(response: Response): Promise<Problem> {
  const mediaType = response.headers.get("content-type");
  if (mediaType !== PROBLEM_JSON) throw new Error(`The answer is ${mediaType}, not a problem document.`);
  return (await response.json()) as Problem;
}

/** The handler over a memory store that holds one sample trace in the scope `default`. */
export async function serveSample(
  options: Partial<HandlerOptions> = {},
  spans: SpanRecord[] = sampleTrace(),
): Promise<TestServer> {
  const stores = createMemoryStore();
  const errors: unknown[] = [];
  const handler = createHandler({
    store: stores,
    authorize: allowAll(),
    basePath: "/api/spanloom",
    onError: (error) => errors.push(error),
    ...options,
  });
  const store = stores.forScope("default");
  if (spans.length > 0) await store.write(spans);
  const send = (path: string, init: RequestInit): Promise<Response> =>
    handler(new Request(`${BASE}${path}`, init));
  return {
    store,
    spans,
    executionId: spans[0]?.executionId ?? "",
    errors,
    get: (path, headers = {}) => send(path, { headers }),
    send,
  };
}
