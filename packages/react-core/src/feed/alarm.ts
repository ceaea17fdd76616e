/** Lets one loop sleep until something rings, time is up, or `signal` ends it all. */
export interface Alarm {
  /** Ends the sleep; a ring while nobody sleeps is kept for the next sleep. */
  ring(): void;
  sleep(ms: number): Promise<void>;
}

export function createAlarm(signal: AbortSignal): Alarm {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    sleep(ms) {
      return new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        signal.addEventListener("abort", done, { once: true });
        wake = done;
        if (rung || signal.aborted) done();
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          wake = undefined;
          rung = false;
          resolve();
        }
      });
    },
  };
}
