const wrapped = new WeakSet<object>();

export function markWrapped(exporter: object): void {
  wrapped.add(exporter);
}

const MAX_OBJECTS = 500;

/**
 * Whether a provider holds an exporter that redacts nothing. OpenTelemetry has no way to ask: this looks through what can
 * be seen of the provider and its processors. Where they hide it, the answer is no.
 */
export function hasUnwrappedExporter(provider: object): boolean {
  const seen = new Set<unknown>();
  const left: unknown[] = [delegateOf(provider)];
  for (let next = left.pop(); next !== undefined && seen.size < MAX_OBJECTS; next = left.pop()) {
    if (typeof next !== "object" || next === null || seen.has(next) || wrapped.has(next)) continue;
    seen.add(next);
    if (isExporter(next)) return true;
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(next))) {
      if (typeof value === "object" && value !== null) left.push(value);
    }
  }
  return false;
}

function delegateOf(provider: object & { getDelegate?: () => unknown }): unknown {
  return provider.getDelegate?.() ?? provider;
}

function isExporter(value: object): boolean {
  return "export" in value && typeof value.export === "function" && "shutdown" in value;
}
