import type { NodeFacts } from "./facts.ts";
import type { Recorder, Recording } from "./recorder.ts";
import { runSpan } from "./run-span.ts";
import { safeId } from "./safe.ts";
import { childFacts, SpanHandle } from "./span-handle.ts";

export interface NodeOptions {
  /** The host's id of the step; everything below the node carries it. */
  id: string;
  /** The kind of step in the host's words, such as `agent` or `review`. */
  type?: string;
  /** What the span is called; the id where absent. */
  name?: string;
  /** Which try this is, from 1. */
  attempt?: number;
  input?: unknown;
  attributes?: Record<string, unknown>;
}

/** A node that runs. */
export class NodeHandle extends SpanHandle {
  readonly nodeId: string;
  readonly attempt: number;

  /** @internal */
  constructor(recorder: Recorder, recording: Recording, name: string, node: NodeFacts) {
    super(recorder, recording, name);
    this.nodeId = node.nodeId;
    this.attempt = node.attempt;
  }

  /** A node inside this one, such as a step of a nested workflow. */
  node<T>(options: NodeOptions, run: (node: NodeHandle) => T): T {
    return runSpan(this.recorder, () => this.startNode(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startNode(options: NodeOptions): NodeHandle {
    return startNode(this.recorder, this.recording, options);
  }
}

export function startNode(recorder: Recorder, parent: Recording, options: NodeOptions): NodeHandle {
  const { attempt = 1, type } = options;
  const nodeId = safeId(options.id, "node", recorder.problems);
  const node: NodeFacts = { nodeId, attempt: Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1 };
  if (type !== undefined) node.nodeType = String(type);
  const name = options.name ?? nodeId;
  const recording = recorder.start(name, childFacts(parent.facts, { kind: "node", node }), parent.context);
  return new NodeHandle(recorder, recording, name, node).prepare(options);
}
