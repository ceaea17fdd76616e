import { isTerminal, type ScopedStore, skeletonWithoutContent, type TraceChanges } from "@spanloom/model";
import { STREAM_EVENTS, wireTraceChanges } from "@spanloom/model/http";
import { createAlarm } from "./alarm.ts";

/** The rhythm of live traces, in milliseconds. */
export interface LiveTimes {
  /** How often the store is asked when it cannot wake us, or when other processes write to it. */
  pollMs: number;
  /** The least time between two events: what changes meanwhile goes together. */
  gatherMs: number;
  /** How often a comment is sent when nothing changes, so that both ends notice a dead connection. */
  heartbeatMs: number;
  /** How long a finished execution must be quiet before the stream ends: late spans still come through. */
  quietMs: number;
  /** How often `authorize` is asked again. */
  authorizeMs: number;
}

export const LIVE_TIMES: LiveTimes = {
  pollMs: 1_000,
  gatherMs: 50,
  heartbeatMs: 15_000,
  quietMs: 2_000,
  authorizeMs: 60_000,
};

export interface LiveTraceOptions {
  store: ScopedStore;
  executionId: string;
  /** The last commit that the reader has; 0 for none. */
  fromSeq: number;
  times: LiveTimes;
  signal: AbortSignal;
  /** Whether the reader may see what errors said. */
  content: boolean;
  /** False ends the stream: the reader comes back and is refused. */
  stillAllowed(): Promise<boolean>;
}

/**
 * The text of a live trace's event stream, one event at a time: the next is only made when the one before was taken, so
 * that a slow reader costs no memory and gets fewer, larger events. Ends when the execution is done or gone.
 */
export async function* liveTrace(options: LiveTraceOptions): AsyncGenerator<string, void, undefined> {
  const { store, executionId, times, signal } = options;
  const alarm = createAlarm(signal);
  const stopWatch = store.watch?.(executionId, alarm.ring);
  const pollMs = mustPoll(store) ? times.pollMs : Number.POSITIVE_INFINITY;
  let seq = options.fromSeq;
  let starts = seq === 0;
  const now = (): number => performance.now();
  let changedAt = now();
  let sentAt = now();
  let allowedAt = now();
  try {
    yield ": open\n\n";
    while (!signal.aborted) {
      if (now() - allowedAt >= times.authorizeMs) {
        if (!(await options.stillAllowed())) return;
        allowedAt = now();
      }
      const changes = await store.changesSince(executionId, seq);
      if (changes === undefined) {
        yield endEvent(seq);
        return;
      }
      if (changes.seq < seq) {
        // The reader knows commits that this store never made (it was restored or replaced): start anew.
        seq = 0;
        starts = true;
        continue;
      }
      if (starts || changes.seq > seq) {
        yield changesEvent(
          starts ? STREAM_EVENTS.snapshot : STREAM_EVENTS.changes,
          options.content ? changes : { ...changes, spans: changes.spans.map(skeletonWithoutContent) },
        );
        starts = false;
        seq = changes.seq;
        changedAt = now();
        sentAt = changedAt;
        if (!changes.more) await alarm.pause(times.gatherMs);
        continue;
      }
      const untilQuiet = isTerminal(changes.execution.status)
        ? changedAt + times.quietMs - now()
        : Number.POSITIVE_INFINITY;
      if (untilQuiet <= 0) {
        yield endEvent(seq);
        return;
      }
      const untilBeat = sentAt + times.heartbeatMs - now();
      if (untilBeat <= 0) {
        yield ": still here\n\n";
        sentAt = now();
        continue;
      }
      await alarm.wait(Math.min(pollMs, untilQuiet, untilBeat, allowedAt + times.authorizeMs - now()));
    }
  } finally {
    stopWatch?.();
    alarm.clear();
  }
}

/** A watch sees this process only: what others write to the same store is found by asking. */
function mustPoll(store: ScopedStore): boolean {
  return store.watch === undefined || store.capabilities.crossProcessReads;
}

function changesEvent(name: string, changes: TraceChanges): string {
  return `event: ${name}\nid: ${changes.seq}\ndata: ${JSON.stringify(wireTraceChanges.encode(changes))}\n\n`;
}

function endEvent(seq: number): string {
  return `event: ${STREAM_EVENTS.end}\ndata: {"seq":${seq}}\n\n`;
}
