import type { SpanHandle, SpanOptions } from "./span-handle.ts";

export interface LoopOptions<I> {
  /** What the loop is called. */
  name: string;
  /** What it runs over, once each. */
  items: Iterable<I>;
  /** How many run at once. Default 1. */
  concurrency?: number;
  attributes?: Record<string, unknown>;
}

export interface IterationOptions {
  /** Which one it is, from 1. */
  iteration: number;
  name?: string;
  input?: unknown;
}

export interface ParallelOptions {
  /** What the fork is called. */
  name: string;
  attributes?: Record<string, unknown>;
}

/** What each branch gives, by its name. */
export type BranchResults<B> = {
  [K in keyof B]: B[K] extends (...args: never[]) => infer R ? Awaited<R> : never;
};

/** Runs `run` for each item, in a span each. When one fails, those under way go on and no other starts. */
export function runLoop<I, T>(
  above: SpanHandle,
  { name, items, concurrency = 1, attributes }: LoopOptions<I>,
  run: (item: I, iteration: SpanHandle) => T,
): Promise<Awaited<T>[]> {
  return above.span({ name, attributes }, async (loop) => {
    const results: Awaited<T>[] = [];
    const left = items[Symbol.iterator]();
    let next = 0;
    let failed = false;
    const work = async (): Promise<void> => {
      while (!failed) {
        const { value, done } = left.next();
        if (done) return;
        const index = next++;
        try {
          results[index] = await iterate(loop, { iteration: index + 1 }, (iteration) =>
            run(value, iteration),
          );
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const workers = concurrency >= 1 ? Math.min(Math.floor(concurrency), 10_000) : 1;
    await Promise.all(Array.from({ length: workers }, work));
    return results;
  });
}

/** One pass of a loop that the host writes itself. */
export function iterate<T>(
  above: SpanHandle,
  options: IterationOptions,
  run: (iteration: SpanHandle) => T,
): T {
  const read = (): SpanOptions => {
    const { iteration, name = `iteration ${iteration}`, input } = options;
    return { name, input, attributes: { "loop.iteration": iteration } };
  };
  return above.span(above.recorder.problems.guard("iteration", read) ?? { name: "iteration" }, run);
}

/** Runs all branches at once, in a span each. Rejects when the first one fails; the others go on to their own end. */
export function runParallel<B extends Record<string, (branch: SpanHandle) => unknown>>(
  above: SpanHandle,
  { name, attributes }: ParallelOptions,
  branches: B,
): Promise<BranchResults<B>> {
  return above.span({ name, attributes }, async (fork) => {
    const running = Object.entries(branches).map(async ([branch, run]) => {
      const result = await fork.span({ name: branch, attributes: { branch } }, run);
      return [branch, result] as const;
    });
    return Object.fromEntries(await Promise.all(running)) as BranchResults<B>;
  });
}
