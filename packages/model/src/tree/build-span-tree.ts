import { parentOf } from "../count-once.ts";
import { type SpanSkeleton, spanKey } from "../span.ts";
import { compareNanos } from "../time.ts";

/** What the builder needs of a span; a SpanRecord and a SpanSkeleton both have it. */
export type TreeSpan = Pick<SpanSkeleton, "traceId" | "spanId" | "parentSpanId" | "startTime">;

export interface SpanTreeNode<S extends TreeSpan> {
  span: S;
  /** `traceId/spanId`, unique in the tree. */
  key: string;
  parent?: SpanTreeNode<S>;
  /** By start time, then span id. */
  children: SpanTreeNode<S>[];
  /** 0 at a root. */
  depth: number;
  /** All nodes below this one. */
  descendantCount: number;
  /**
   * Why the node stands at the top although it names a parent: the parent is not in the trace (`orphan`), or
   * following parents leads back to the span itself (`cycle`, cut at its earliest member).
   */
  detached?: "orphan" | "cycle";
}

export interface SpanTree<S extends TreeSpan> {
  /** By start time, then span id. */
  roots: SpanTreeNode<S>[];
  /** Every node by key. */
  nodes: Map<string, SpanTreeNode<S>>;
  /** How many records shared a key with an earlier one; the last one given is shown. */
  duplicates: number;
  orphans: number;
  cycles: number;
}

/**
 * Builds the tree of any set of spans: no span is ever lost, no input can hang or overflow it. Linear but for sorting,
 * and iterative throughout. The same spans in any order give the same tree, but for which duplicate is shown.
 */
export function buildSpanTree<S extends TreeSpan>(spans: Iterable<S>): SpanTree<S> {
  const nodes = new Map<string, SpanTreeNode<S>>();
  let duplicates = 0;
  for (const span of spans) {
    const key = spanKey(span);
    if (nodes.has(key)) duplicates++;
    nodes.set(key, { span, key, children: [], depth: 0, descendantCount: 0 });
  }
  const roots: SpanTreeNode<S>[] = [];
  let orphans = 0;
  for (const node of nodes.values()) {
    const parentId = parentOf(node.span);
    const parent = parentId === undefined ? undefined : nodes.get(`${node.span.traceId}/${parentId}`);
    if (parent !== undefined) {
      node.parent = parent;
      parent.children.push(node);
    } else {
      if (parentId !== undefined) {
        node.detached = "orphan";
        orphans++;
      }
      roots.push(node);
    }
  }
  // Siblings mostly come in order already, and sorting what is sorted is cheap; sorting all spans at once is not.
  roots.sort(compareNodes);
  for (const { children } of nodes.values()) if (children.length > 1) children.sort(compareNodes);
  const order = preOrder(roots);
  const cycles = order.length === nodes.size ? 0 : cutCycles(nodes, order, roots);
  for (let index = order.length - 1; index >= 0; index--) {
    const node = order[index] as SpanTreeNode<S>;
    if (node.parent) node.parent.descendantCount += node.descendantCount + 1;
  }
  return { roots, nodes, duplicates, orphans, cycles };
}

/** Every node below and including `roots`, parents before children, in the order they are shown. Sets depths. */
export function preOrder<S extends TreeSpan>(roots: readonly SpanTreeNode<S>[]): SpanTreeNode<S>[] {
  const order: SpanTreeNode<S>[] = [];
  const stack = [...roots].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    node.depth = node.parent === undefined ? 0 : node.parent.depth + 1;
    order.push(node);
    for (let index = node.children.length - 1; index >= 0; index--) {
      stack.push(node.children[index] as SpanTreeNode<S>);
    }
  }
  return order;
}

/** What preOrder could not reach hangs below cycles: each is cut above its earliest member, which becomes a root. */
function cutCycles<S extends TreeSpan>(
  nodes: ReadonlyMap<string, SpanTreeNode<S>>,
  order: SpanTreeNode<S>[],
  roots: SpanTreeNode<S>[],
): number {
  const reached = new Set(order);
  let cycles = 0;
  for (const start of [...nodes.values()].sort(compareNodes)) {
    if (reached.has(start)) continue;
    const path = new Set<SpanTreeNode<S>>();
    let node = start;
    while (!path.has(node)) {
      path.add(node);
      node = node.parent as SpanTreeNode<S>;
    }
    const members = [...path].slice([...path].indexOf(node)).sort(compareNodes);
    const first = members[0] as SpanTreeNode<S>;
    const above = first.parent as SpanTreeNode<S>;
    above.children.splice(above.children.indexOf(first), 1);
    first.parent = undefined;
    first.detached = "cycle";
    roots.push(first);
    cycles++;
    for (const found of preOrder([first])) {
      reached.add(found);
      order.push(found);
    }
  }
  roots.sort(compareNodes);
  return cycles;
}

function compareNodes<S extends TreeSpan>(a: SpanTreeNode<S>, b: SpanTreeNode<S>): number {
  const left = a.span;
  const right = b.span;
  return (
    compareNanos(left.startTime, right.startTime) ||
    (left.spanId < right.spanId ? -1 : left.spanId > right.spanId ? 1 : 0) ||
    (left.traceId < right.traceId ? -1 : left.traceId > right.traceId ? 1 : 0)
  );
}
