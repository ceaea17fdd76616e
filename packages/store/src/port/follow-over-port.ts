import type { SpanloomError, TraceChanges } from "@spanloom/model";
import type { PortClient } from "./port-client.ts";

/** The changes that the other side streams. Each part is asked for when the one before was used. */
export async function* followOverPort(
  client: PortClient,
  executionId: string,
  seq: number,
  signal: AbortSignal,
): AsyncGenerator<TraceChanges, void, undefined> {
  if (signal.aborted) return;
  let part: { value: unknown; taken: () => void } | undefined;
  let over: { error: SpanloomError | undefined } | undefined;
  let wake = (): void => {};
  const stop = client.stream("follow", [executionId, seq], {
    part(value, taken) {
      part = { value, taken };
      wake();
    },
    end(error) {
      over = { error };
      wake();
    },
  });
  const abort = (): void => wake();
  signal.addEventListener("abort", abort);
  try {
    while (!signal.aborted) {
      if (part !== undefined) {
        const { value, taken } = part;
        part = undefined;
        yield value as TraceChanges;
        taken();
      } else if (over !== undefined) {
        if (over.error !== undefined) throw over.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener("abort", abort);
    stop();
  }
}
