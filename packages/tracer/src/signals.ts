/** Our own handlers, of every copy of this package: they are no reason to leave a signal to others. */
const OURS: unique symbol = Symbol.for("spanloom.signal") as typeof OURS;

/**
 * Runs `flush` when a signal comes, then raises the signal again, so that the process ends as it would have. Where the
 * host has a handler of its own, the host decides when to end: it runs as ever, and nothing is raised. Gives the way back.
 */
export function flushOnSignals(
  signals: readonly NodeJS.Signals[],
  flush: () => Promise<unknown>,
): () => void {
  const handlers = signals.map((signal) => {
    let flushing = false;
    const handler = Object.assign(
      (): void => {
        if (flushing) return;
        flushing = true;
        // Asked now: a handler of the host that runs only once is gone a moment later.
        const hostDecides = process.listeners(signal).some((listener) => !(OURS in listener));
        void flush().finally(() => {
          flushing = false;
          if (hostDecides) return;
          process.removeListener(signal, handler);
          // With several tracers the last one to finish raises it.
          if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
        });
      },
      { [OURS]: true },
    );
    process.prependListener(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.removeListener(signal, handler);
  };
}
