import { SpanloomError } from "@spanloom/model";

interface Watch {
  flushes: Set<() => Promise<unknown>>;
  handler: () => void;
}

/** One handler a signal for all tracers: Node warns when a process has more than ten. */
const watches = new Map<NodeJS.Signals, Watch>();

/** Our own handlers, of every copy of this package: they are no reason to leave a signal to others. */
const OURS: unique symbol = Symbol.for("spanloom.signal") as typeof OURS;

/**
 * Runs `flush`, which never rejects, when one of the signals comes, then raises the signal again, so that the process ends
 * as it would have. Where the host has a handler of its own the host decides when to end: it runs as ever, and nothing is
 * raised. Returns the way to take it back.
 */
export function flushOnSignals(
  signals: readonly NodeJS.Signals[],
  flush: () => Promise<unknown>,
): () => void {
  for (const signal of signals) {
    const watch = watches.get(signal) ?? watchSignal(signal);
    watch.flushes.add(flush);
  }
  return () => {
    for (const signal of signals) {
      const watch = watches.get(signal);
      if (watch?.flushes.delete(flush) && watch.flushes.size === 0) unwatch(signal, watch);
    }
  };
}

function watchSignal(signal: NodeJS.Signals): Watch {
  const flushes = new Set<() => Promise<unknown>>();
  let flushing = false;
  const onSignal = (): void => {
    if (flushing) return;
    flushing = true;
    // Asked now: a handler of the host that runs only once is gone a moment later.
    const hostDecides = process.listeners(signal).some((listener) => !(OURS in listener));
    void Promise.all(Array.from(flushes, (flush) => flush())).then(() => {
      flushing = false;
      if (hostDecides) return;
      unwatch(signal, watch);
      // Another copy of this package may still be at it: the last one raises the signal.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  };
  const watch: Watch = { flushes, handler: Object.assign(onSignal, { [OURS]: true }) };
  try {
    process.prependListener(signal, watch.handler);
  } catch (cause) {
    throw new SpanloomError("invalid_argument", {
      what: `The signal ${signal} of \`flushOnSignals\` cannot be handled.`,
      fix: "Leave it out: the system ends the process without asking.",
      cause,
    });
  }
  watches.set(signal, watch);
  return watch;
}

function unwatch(signal: NodeJS.Signals, { handler }: Watch): void {
  process.removeListener(signal, handler);
  watches.delete(signal);
}
