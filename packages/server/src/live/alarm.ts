/** Waits that a ring or the signal cuts short. A ring between two waits is kept for the next one. */
export interface Alarm {
  ring: () => void;
  /** Resolves at a ring, after `ms`, or with the signal, whichever comes first. */
  wait(ms: number): Promise<void>;
  /** Resolves after `ms` or with the signal; rings stay kept. */
  pause(ms: number): Promise<void>;
  /** Ends a wait under way and listens no more. */
  clear(): void;
}

export function createAlarm(signal: AbortSignal): Alarm {
  let rung = false;
  let wake: (() => void) | undefined;
  let wakesOnRing = false;
  const stop = (): void => wake?.();
  signal.addEventListener("abort", stop);

  const sleep = (ms: number): Promise<void> => {
    if (signal.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      // Longer than a timer can count: only a ring or the signal ends it.
      const timer = ms < 2 ** 31 ? setTimeout(() => wake?.(), ms) : undefined;
      wake = () => {
        clearTimeout(timer);
        wake = undefined;
        resolve();
      };
    });
  };

  return {
    ring: () => {
      rung = true;
      if (wakesOnRing) wake?.();
    },
    async wait(ms) {
      if (!rung) {
        wakesOnRing = true;
        await sleep(ms);
        wakesOnRing = false;
      }
      rung = false;
    },
    pause: sleep,
    clear: () => {
      signal.removeEventListener("abort", stop);
      wake?.();
    },
  };
}
