import { isTerminal, SpanloomError, type TraceChanges, type TraceReader } from "@spanloom/model";

const POLL_MS = 1_000;
/** How long a finished execution must be quiet before its stream ends: late spans still come through. */
const QUIET_MS = 2_000;

/**
 * The changes of an execution as they come, from a store that does not stream them itself: woken by its `watch`, and
 * looking every second for what other processes wrote.
 */
export async function* followStore(
  store: Pick<TraceReader, "changesSince" | "watch">,
  executionId: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<TraceChanges, void, undefined> {
  const bell = createBell(signal);
  const unwatch = store.watch?.(executionId, bell.ring);
  try {
    let seq = from;
    let quietSince = performance.now();
    for (let first = true; !signal.aborted; first = false) {
      const changes = await store.changesSince(executionId, seq);
      if (changes === undefined) {
        if (first) throw notThere();
        return;
      }
      if (changes.seq < seq) throw startedAnew();
      if (changes.seq > seq || (first && seq === 0)) {
        seq = changes.seq;
        yield changes;
        quietSince = performance.now();
        continue;
      }
      if (isTerminal(changes.execution.status) && performance.now() - quietSince >= QUIET_MS) return;
      await bell.wait(POLL_MS);
    }
  } finally {
    unwatch?.();
  }
}

/** A wait that a ring or the signal cuts short; a ring between two waits is kept for the next one. */
function createBell(signal: AbortSignal): { ring(): void; wait(ms: number): Promise<void> } {
  let rung = false;
  let wake: (() => void) | undefined;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  signal.addEventListener("abort", ring, { once: true });
  return {
    ring,
    async wait(ms) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wake = undefined;
      rung = false;
    },
  };
}

function notThere(): SpanloomError {
  return new SpanloomError("not_found", { what: "There is no such execution.", fix: "Check the id." });
}

function startedAnew(): SpanloomError {
  return new SpanloomError("invalid_cursor", {
    what: "The trace cannot be followed from there.",
    why: "The store does not know that commit: it was restored or replaced.",
    fix: "Read the trace again from its start.",
  });
}
