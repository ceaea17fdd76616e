import { SpanloomError, type SpanSkeleton, skeletonWithoutContent, withoutContent } from "@spanloom/model";
import {
  EVENT_STREAM,
  encodeTracePage,
  readCount,
  readGetTrace,
  wireTraceChanges,
} from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { eventStreamBody } from "../live/event-stream.ts";
import { liveTrace } from "../live/live-trace.ts";
import { withPreviews } from "../preview.ts";
import { notFound, SECURITY_HEADERS } from "../problems.ts";
import { executionTag, isKnown, notModified, respondJson } from "../respond.ts";

/** A page of the trace; with `since_seq` what changed after that commit; as an event stream all that follows, too. */
export async function getTrace(call: Call): Promise<Response> {
  const executionId = call.params.execution_id ?? "";
  if (wantsEvents(call.request)) return streamTrace(call, executionId);
  const query = readGetTrace(call.query);
  const sinceSeq = readCount(call.query, "since_seq");
  if (sinceSeq !== undefined) {
    const limit = query.limit === undefined ? undefined : { limit: query.limit };
    const changes = await call.store.changesSince(executionId, sinceSeq, limit);
    if (changes === undefined) throw notFound();
    return respondJson(call, wireTraceChanges.encode(permitted(call, changes)));
  }

  if (
    call.request.headers.has("if-none-match") &&
    query.asOfSeq === undefined &&
    query.cursor === undefined
  ) {
    // Whether anything changed costs one row; reading the trace to find that out would cost all of them.
    const [summary] = await call.store.getExecutions([executionId]);
    if (summary === undefined) throw notFound();
    const tag = executionTag(call, summary);
    if (isKnown(call.request, tag)) return notModified(tag);
  }
  if (query.view !== "full") {
    const page = await call.store.getTrace(executionId, query);
    if (page === undefined) throw notFound();
    return respondJson(
      call,
      encodeTracePage(permitted(call, page), "skeleton"),
      executionTag(call, page.execution),
    );
  }
  const page = await call.store.getTrace(executionId, { ...query, view: "full" });
  if (page === undefined) throw notFound();
  const { previewLength } = call.settings.limits;
  const spans = page.spans.map((span) =>
    call.grant.content ? withPreviews(span, previewLength) : withoutContent(span),
  );
  return respondJson(call, encodeTracePage({ ...page, spans }, "full"), executionTag(call, page.execution));
}

/** Skeletons as the caller may see them. */
function permitted<T extends { spans: SpanSkeleton[] }>(call: Call, page: T): T {
  return call.grant.content ? page : { ...page, spans: page.spans.map(skeletonWithoutContent) };
}

async function streamTrace(call: Call, executionId: string): Promise<Response> {
  const fromSeq = resumeFrom(call);
  // Not `getExecutions`: who followed an execution that went away since must still be told what was removed.
  if ((await call.store.changesSince(executionId, fromSeq, { limit: 1 })) === undefined) throw notFound();
  const body = eventStreamBody(
    call.request.signal,
    (signal) =>
      liveTrace({
        store: call.store,
        executionId,
        fromSeq,
        times: call.settings.live,
        signal,
        content: call.grant.content,
        stillAllowed: call.stillAllowed,
      }),
    call.report,
  );
  return new Response(body, {
    headers: {
      "content-type": EVENT_STREAM,
      // `no-transform` and `x-accel-buffering` keep proxies from holding events back.
      "cache-control": "private, no-store, no-transform",
      "x-accel-buffering": "no",
      vary: "Accept",
      ...SECURITY_HEADERS,
    },
  });
}

/** `Last-Event-ID`, as a reader that lost its connection sends it, goes before `since_seq`. */
function resumeFrom(call: Call): number {
  const lastEventId = call.request.headers.get("last-event-id");
  if (lastEventId === null) return readCount(call.query, "since_seq") ?? 0;
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId);
  throw new SpanloomError("invalid_argument", {
    what: "The header Last-Event-ID cannot be used.",
    why: "It must be the id of an event of this stream: a whole number.",
    fix: "Send the last id again, or leave the header out to start anew.",
  });
}

function wantsEvents(request: Request): boolean {
  return (request.headers.get("accept") ?? "")
    .split(",")
    .some((item) => item.split(";")[0]?.trim() === EVENT_STREAM);
}
