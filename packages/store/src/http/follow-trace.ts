import { SpanloomError, type TraceChanges } from "@spanloom/model";
import { decodeChanges, EVENT_STREAM, routePath, STREAM_EVENTS } from "@spanloom/model/http";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { HttpConnection } from "./connection.ts";

/**
 * The changes of a trace as the server streams them. Ends with the signal and when the server says that no more will
 * come; throws `network_failed` when the connection is lost, and `not_found` when the execution is not there.
 */
export async function* followTrace(
  connection: HttpConnection,
  executionId: string,
  seq: number,
  signal: AbortSignal,
): AsyncGenerator<TraceChanges, void, undefined> {
  const path = routePath("getTrace", { execution_id: executionId });
  if (path === undefined) throw notThere();
  if (signal.aborted) return;
  const silence = createSilenceGuard(connection.timeoutMs, signal);
  try {
    const headers = { accept: EVENT_STREAM, ...(seq > 0 && { "last-event-id": String(seq) }) };
    const response = await connection.open(path, headers, silence.signal);
    let position = seq;
    for await (const event of readEvents(response, silence.heard)) {
      if (event.event === STREAM_EVENTS.end) return;
      if (event.event !== STREAM_EVENTS.snapshot && event.event !== STREAM_EVENTS.changes) continue;
      if (event.event === STREAM_EVENTS.snapshot && position > 0) throw startedAnew();
      const changes = decodeChanges(JSON.parse(event.data));
      position = changes.seq;
      yield changes;
    }
    if (!signal.aborted) throw lost();
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof SpanloomError ? error : lost(error);
  } finally {
    silence.stop();
  }
}

async function* readEvents(
  response: Response,
  heard: () => void,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  if (response.body === null) return;
  let events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event), maxBufferSize: MOST_CHARACTERS });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      parser.feed(decoder.decode(value, { stream: true }));
      const ready = events;
      events = [];
      yield* ready;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** One event holds at most some hundred spans without content; more than this is no event of ours. */
const MOST_CHARACTERS = 64_000_000;

/** A server that is there says so every 15 seconds: after three times that the connection is dead. */
const SILENCE_MS = 45_000;

/** Aborts when nothing was heard for too long (`answerMs` until the answer begins), or with the caller's signal. */
function createSilenceGuard(
  answerMs: number,
  outer: AbortSignal,
): { signal: AbortSignal; heard: () => void; stop: () => void } {
  const inner = new AbortController();
  const stopInner = (): void => inner.abort();
  outer.addEventListener("abort", stopInner);
  let timer = setTimeout(stopInner, answerMs);
  return {
    signal: inner.signal,
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(stopInner, SILENCE_MS);
    },
    stop: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", stopInner);
      inner.abort();
    },
  };
}

function lost(cause?: unknown): SpanloomError {
  return new SpanloomError("network_failed", {
    what: "The live connection was lost.",
    why: "It broke off or fell silent before the trace ended.",
    fix: "Follow again from the last seq.",
    ...(cause !== undefined && { cause }),
  });
}

function startedAnew(): SpanloomError {
  return new SpanloomError("invalid_cursor", {
    what: "The trace cannot be followed from there.",
    why: "The server's store does not know that commit: it was restored or replaced.",
    fix: "Read the trace again from its start.",
  });
}

function notThere(): SpanloomError {
  return new SpanloomError("not_found", { what: "There is no such execution.", fix: "Check the id." });
}
