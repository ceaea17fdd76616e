const rescues = new Set<() => void>();

function onExit(): void {
  for (const rescue of rescues) rescue();
}

/** Calls `rescue`, which never throws, when the process ends by itself or by `process.exit`. Returns the way to take it back. */
export function rescueAtExit(rescue: () => void): () => void {
  if (rescues.size === 0) process.on("exit", onExit);
  rescues.add(rescue);
  return () => {
    if (rescues.delete(rescue) && rescues.size === 0) process.removeListener("exit", onExit);
  };
}
