import { nanosFromMillis, type PruneReport, type PruneRequest, SpanloomError } from "@spanloom/model";

/** How long a store keeps what it was given. */
export interface RetentionOptions {
  /** Days that executions are kept after their last activity: 90 where absent. */
  spanDays?: number;
  /** Days that sums over time are kept, at least `spanDays`: 800 where absent, or `spanDays` if that is more. */
  sumDays?: number;
}

/** What {@link keepRetention} gives. */
export interface Retention {
  /** No step starts any more. Resolves when the one under way has ended; to be called before the store lets go of its files. */
  stop(): Promise<void>;
}

export interface KeepRetentionOptions {
  /** The store's own `prune`, of all scopes. */
  prune(request: PruneRequest): Promise<PruneReport>;
  /** The defaults where absent; `false` keeps everything for ever. */
  retention: RetentionOptions | false | undefined;
  /** Gets what went wrong; the next round tries again. `console.warn` where absent. */
  onProblem?: (problem: SpanloomError) => void;
  /** The system's where absent. */
  clock?: RetentionClock;
}

export interface RetentionClock {
  nowMs(): number;
  /** Calls `run` once after that time, unless the returned function is called before. Must not keep a process alive. */
  after(delayMs: number, run: () => void): () => void;
}

const DAY_MS = 86_400_000;
const ROUND_MS = 3_600_000;
/** A step that takes longer makes the next one smaller, so that writes never wait for long. */
const SLOW_STEP_MS = 100;
const FIRST_LIMIT = 200;
const LEAST_LIMIT = 10;
/** Writes get at least as much time as the step before took. */
const LEAST_PAUSE_MS = 20;

/**
 * Prunes a store by its retention: at once, then every hour, each time in small steps with pauses between them until
 * nothing old is left. A store calls it when it is open. Throws `invalid_argument` for days that cannot be.
 */
export function keepRetention(options: KeepRetentionOptions): Retention {
  if (options.retention === false) return { stop: async () => {} };
  const { spanMs, sumMs } = readDays(options.retention ?? {});
  const { prune, onProblem = warn, clock = systemClock } = options;
  let stopped = false;
  let underWay: Promise<void> | undefined;
  let cancel = clock.after(0, startRound);

  function startRound(): void {
    const nowMs = clock.nowMs();
    const request = { before: nanosBefore(nowMs, spanMs), sumsBefore: nanosBefore(nowMs, sumMs) };
    startStep(request, FIRST_LIMIT);
  }

  function startStep(request: PruneRequest, limit: number): void {
    underWay = step(request, limit).finally(() => {
      underWay = undefined;
    });
  }

  async function step(request: PruneRequest, limit: number): Promise<void> {
    const startMs = clock.nowMs();
    let more = false;
    try {
      more = (await prune({ ...request, limit })).more;
    } catch (error) {
      if (stopped) return;
      tell(onProblem, problemOf(error));
    }
    if (stopped) return;
    const tookMs = clock.nowMs() - startMs;
    const next = tookMs > SLOW_STEP_MS ? Math.max(LEAST_LIMIT, Math.floor(limit / 2)) : limit;
    cancel = more
      ? clock.after(Math.max(LEAST_PAUSE_MS, tookMs), () => startStep(request, next))
      : clock.after(ROUND_MS, startRound);
  }

  return {
    async stop() {
      stopped = true;
      cancel();
      await underWay;
    },
  };
}

const systemClock: RetentionClock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer: unknown = setTimeout(run, delayMs);
    // Browsers give a number, and end with their page.
    if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

function readDays({ spanDays = 90, sumDays = Math.max(800, spanDays) }: RetentionOptions): {
  spanMs: number;
  sumMs: number;
} {
  if (!isDays(spanDays)) throw invalidDays("spanDays", spanDays, "It must be a number above 0.");
  if (!isDays(sumDays) || sumDays < spanDays) {
    throw invalidDays(
      "sumDays",
      sumDays,
      "Sums must be kept at least as long as the spans they are made of.",
    );
  }
  return { spanMs: spanDays * DAY_MS, sumMs: sumDays * DAY_MS };
}

function isDays(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function nanosBefore(nowMs: number, ageMs: number): string {
  return nanosFromMillis(Math.max(0, Math.floor(nowMs - ageMs)));
}

function problemOf(error: unknown): SpanloomError {
  return new SpanloomError("store_failed", {
    what: "Old traces could not be removed.",
    why: error instanceof Error ? error.message : "The store failed.",
    fix: "It is tried again within the hour; if it stays, look at the store's disk or database.",
    cause: error,
  });
}

/** A failure of the host's own function must not end the retention. */
function tell(onProblem: (problem: SpanloomError) => void, problem: SpanloomError): void {
  try {
    onProblem(problem);
  } catch {
    warn(problem);
  }
}

function warn(problem: SpanloomError): void {
  console.warn(`Spanloom: ${problem.message}`);
}

function invalidDays(name: string, value: unknown, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `retention.${name} is ${String(value).slice(0, 40)}.`,
    why,
    fix: "Correct it, leave it out for the default, or pass retention: false to keep everything.",
  });
}
