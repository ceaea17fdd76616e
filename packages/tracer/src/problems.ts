/** What went wrong inside tracing. The host's workflow never notices; `onProblem` does. */
export type ProblemCode =
  /** A write to the store, or a post to the collector, failed or took too long; it is tried again. */
  | "delivery_failed"
  /** Spans were lost; `stats()` counts them by reason. */
  | "spans_dropped"
  /** Spans were refused for good and set apart in a file; `stats()` counts them. */
  | "dead_lettered"
  /** The disk of the spill log failed, or its bound is reached: spans wait in memory. */
  | "log_failed"
  /** Lines of the spill log could not be read and were left out. */
  | "log_damaged"
  /** A callback of the host (`onEvent`, `onExecutionEnd`) threw or rejected. */
  | "callback_failed"
  /** An id, option or figure was not usable and was mended or left out. */
  | "invalid_argument"
  /** Prompts or answers in attributes of another instrumentation leave through an exporter of the host. */
  | "content_exposed"
  /** A fault of our own. */
  | "internal";

export interface Problem {
  code: ProblemCode;
  /** Where: `store`, `otlp`, `execution`, `onEvent` ... */
  where: string;
  /** One sentence, never with content of the workflow. */
  message: string;
  /**
   * The error, where there is one, with its texts after redaction and without the objects that hung on it. It may hold
   * content: log it with care.
   */
  cause?: unknown;
  /** How often it happened since it was last reported: reports of one kind come at most every ten seconds. */
  count: number;
}

export type OnProblem = (problem: Problem) => void;

/** Reports problems: rate-limited, and never throws. */
export interface ProblemReporter {
  report(code: ProblemCode, where: string, message: string, cause?: unknown): void;
  /** What an error or a text of others says, after redaction. Never throws. */
  clean(cause: unknown): unknown;
  /** Runs `work`; what it throws is reported instead. */
  guard<T>(where: string, work: () => T): T | undefined;
}

const REPORT_INTERVAL_MS = 10_000;

/** `clean` takes secrets out of an error; it never throws. */
export function createProblemReporter(
  onProblem: OnProblem = warn,
  clean: (cause: unknown) => unknown,
): ProblemReporter {
  const seen = new Map<string, { reportedAt: number; suppressed: number }>();
  const report: ProblemReporter["report"] = (code, where, message, cause) => {
    const key = `${code} ${where}`;
    const now = performance.now();
    const last = seen.get(key);
    if (last !== undefined && now - last.reportedAt < REPORT_INTERVAL_MS) {
      last.suppressed++;
      return;
    }
    seen.set(key, { reportedAt: now, suppressed: 0 });
    const problem: Problem = { code, where, message, count: 1 + (last?.suppressed ?? 0) };
    if (cause !== undefined) problem.cause = clean(cause);
    try {
      // An `async` callback fits the type: what it rejects with must not become an unhandled rejection.
      const returned: unknown = onProblem(problem);
      if (returned instanceof Promise) returned.catch(() => undefined);
    } catch {
      // Nobody is left to tell.
    }
  };
  const guard: ProblemReporter["guard"] = (where, work) => {
    try {
      return work();
    } catch (error) {
      report("internal", where, `Tracing failed in ${where}; the workflow goes on.`, error);
      return undefined;
    }
  };
  return { report, guard, clean };
}

function warn({ code, where, message, cause, count }: Problem): void {
  const error = cause instanceof Error ? ` [${errorLabel(cause)}]` : "";
  const times = count > 1 ? ` (${count} times)` : "";
  console.warn(`spanloom: ${code} in ${where}: ${message}${error}${times}`);
}

/** Name and code only: an error's message may quote the workflow's content. */
export function errorLabel(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const parts = [error.name, "code" in error ? error.code : undefined];
  return parts.filter((part) => typeof part === "string" && /^[\w.-]{1,60}$/.test(part)).join(" ") || "Error";
}
