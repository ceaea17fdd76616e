// The parent's side: a process for each contender, so that heaps and globals do not mix.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** Queues of OpenTelemetry's batch processor must hold what a round's burst makes: nothing may be dropped. */
const ENVIRONMENT = { OTEL_BSP_MAX_QUEUE_SIZE: "65536" };

export interface Child {
  /** Sends `message` and gives the answer. Rejects when the child ends or answers with a text, which is what went wrong. */
  ask: <T>(message: unknown) => Promise<T>;
  stop: () => Promise<void>;
}

export interface ChildOptions {
  args?: readonly string[];
  env?: Record<string, string>;
  nodeOptions?: readonly string[];
}

/** Starts a file of `benchmarks`; resolves with its first message. */
export async function startChild(
  file: string,
  { args = [], env = {}, nodeOptions = [] }: ChildOptions = {},
): Promise<{ child: Child; first: unknown }> {
  const spawned = fork(join(import.meta.dirname, "..", file), args, {
    execArgv: [...process.execArgv, ...nodeOptions],
    env: { ...process.env, ...ENVIRONMENT, ...env },
  });
  const first = await answerOf(spawned, file);
  const child: Child = {
    ask: async <T>(message: unknown): Promise<T> => {
      const answer = answerOf(spawned, file);
      spawned.send(message as string);
      const given = await answer;
      if (typeof given === "string") throw new Error(`${[file, ...args].join(" ")}: ${given}`);
      return given as T;
    },
    stop: async () => {
      if (spawned.exitCode !== null) return;
      const ended = once(spawned, "exit");
      spawned.disconnect();
      await ended;
    },
  };
  return { child, first };
}

async function answerOf(spawned: ChildProcess, file: string): Promise<unknown> {
  const over = new AbortController();
  const { signal } = over;
  try {
    return await Promise.race([
      once(spawned, "message", { signal }).then(([message]: unknown[]) => message),
      once(spawned, "exit", { signal }).then(([code]: unknown[]) => {
        throw new Error(`${file} ended with code ${code}: what it said stands above.`);
      }),
    ]);
  } finally {
    over.abort();
  }
}
