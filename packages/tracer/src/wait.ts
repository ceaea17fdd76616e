/** The longest that a timer can count: Node makes one millisecond of anything longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds as a timer takes them. What is no number is no time at all. */
export function timerMs(ms: number): number {
  return ms > 0 ? Math.min(ms, MAX_TIMER_MS) : 0;
}

/** Waits for `work`, at most `timeoutMs`, then gives `undefined`. Rejects as `work` does. */
export async function within<T>(
  work: Promise<T> | undefined,
  timeoutMs: number,
  keepAlive = true,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timerMs(timeoutMs), undefined);
    if (!keepAlive) timer.unref();
  });
  try {
    return await (work === undefined ? late : Promise.race([work, late]));
  } finally {
    clearTimeout(timer);
  }
}

/** True when `work` settled in time, however. Never rejects. */
export async function settled(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const done = work.then(
    () => true,
    () => true,
  );
  return (await within(done, timeoutMs)) === true;
}
