const waiting = new Set<() => Promise<void>>();

function onBeforeExit(): void {
  process.removeListener("beforeExit", onBeforeExit);
  const flushes = [...waiting];
  waiting.clear();
  for (const flush of flushes) void flush();
}

/**
 * Calls `flush`, which never rejects, once when Node runs out of work. One listener for all tracers: Node warns when a process has more than
 * ten. Returns the way to take it back.
 */
export function flushBeforeExit(flush: () => Promise<void>): () => void {
  if (waiting.size === 0) process.on("beforeExit", onBeforeExit);
  waiting.add(flush);
  return () => {
    if (waiting.delete(flush) && waiting.size === 0) process.removeListener("beforeExit", onBeforeExit);
  };
}
