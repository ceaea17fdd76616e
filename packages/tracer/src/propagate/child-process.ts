import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  type ExecFileOptions,
  execFile,
  type PromiseWithChild,
  type SpawnOptions,
  type SpawnOptionsWithoutStdio,
  spawn,
} from "node:child_process";
import { type EventEmitter, errorMonitor } from "node:events";
import { basename } from "node:path";
import { promisify } from "node:util";
import { traceIdToUuid } from "@spanloom/model";
import type { SpanHandle } from "../span-handle.ts";
import { traceHeaders } from "./trace-headers.ts";

/**
 * The environment of a child process that belongs to the span: `env` with `TRACEPARENT`, `TRACESTATE`, `BAGGAGE` (W3C) and,
 * for programs that only want to name the run in their output, `TRACE_ID` (a UUID with dashes, as events and
 * `execution.traceUuid` spell it) and `SPAN_ID` (16 hex digits). Without a span, or where nothing is recorded, it is `env`
 * as it came: what a process above said still holds.
 */
export function traceEnv(
  span: SpanHandle | undefined,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const { traceparent, tracestate, baggage } = traceHeaders(span);
  const out = { ...env };
  if (span === undefined || traceparent === undefined) return out;
  const { TRACESTATE: _state, BAGGAGE: _baggage, ...rest } = out;
  return {
    ...rest,
    TRACEPARENT: traceparent,
    ...(tracestate !== undefined && { TRACESTATE: tracestate }),
    ...(baggage !== undefined && { BAGGAGE: baggage }),
    TRACE_ID: traceIdToUuid(span.traceId),
    SPAN_ID: span.spanId,
  };
}

/**
 * `spawn` of `node:child_process`, with a span for the process below `above`: it ends when the process does, failed where
 * that exits with another code than 0 or by a signal. The child finds that span in its environment. Arguments are not
 * recorded. Without `above` it is plain `spawn`.
 */
export function tracedSpawn(
  above: SpanHandle | undefined,
  command: string,
  args?: readonly string[],
  options?: SpawnOptionsWithoutStdio,
): ChildProcessWithoutNullStreams;
export function tracedSpawn(
  above: SpanHandle | undefined,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess;
export function tracedSpawn(
  above: SpanHandle | undefined,
  command: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): ChildProcess {
  if (above === undefined) return spawn(command, args, options);
  return inSpan(above, command, (span) =>
    watch(spawn(command, args, { ...options, env: traceEnv(span, options.env) }), span, command),
  );
}

/** `execFile` of `node:child_process` in its promise form, traced as {@link tracedSpawn} does. */
export function tracedExecFile(
  above: SpanHandle | undefined,
  file: string,
  args: readonly string[] = [],
  options: Omit<ExecFileOptions, "encoding"> = {},
): PromiseWithChild<{ stdout: string; stderr: string }> {
  if (above === undefined) return run(file, args, options);
  return inSpan(above, file, (span) => {
    const result = run(file, args, { ...options, env: traceEnv(span, options.env) });
    watch(result.child, span, file);
    return result;
  });
}

/**
 * The parameters of MCP's `StdioClientTransport` with the span's variables beside those given: the server's own start
 * belongs to the span. Calls carry their own span in `_meta`; see `traceMcpClient`.
 */
export function tracedStdio<P extends StdioParameters>(span: SpanHandle | undefined, params: P): P {
  const variables = traceEnv(span, {});
  return { ...params, env: { ...params.env, ...variables } };
}

interface StdioParameters {
  command: string;
  env?: Record<string, string>;
}

const run = promisify(execFile);

function inSpan<T>(above: SpanHandle, command: string, start: (span: SpanHandle) => T): T {
  const name = basename(command);
  const span = above.startSpan({ name, attributes: { "process.executable.name": name } });
  try {
    return span.run(() => start(span));
  } catch (error) {
    span.fail(error);
    throw error;
  }
}

/** Listens without changing what the host sees: an `error` that nobody else handles must still be thrown. */
function watch<C extends ChildProcess>(child: C, span: SpanHandle, command: string): C {
  if (child.pid !== undefined) span.setAttributes({ "process.pid": child.pid });
  const events: EventEmitter = child;
  events.once(errorMonitor, (error: unknown) => span.fail(error));
  child.once("exit", (code, signal) => {
    if (code !== null) span.setAttributes({ "process.exit.code": code });
    if (code === 0) span.end();
    else
      span.fail(
        new Error(
          `${basename(command)} ${code === null ? `was ended by ${signal}` : `exited with code ${code}`}.`,
        ),
      );
  });
  return child;
}
