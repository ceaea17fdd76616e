import { type SpanRecord, type SpanSkeleton, toSkeleton } from "@spanloom/model";

/** What a caller gets of a stored span: it shares nothing with what is stored. */
export interface Copy<S extends SpanSkeleton> {
  span: S;
  /** Characters of its JSON. */
  length: number;
}

export function copyRecord(span: SpanRecord): Copy<SpanRecord> {
  // What is stored was made of JSON alone.
  const json = JSON.stringify(span);
  return { span: JSON.parse(json) as SpanRecord, length: json.length };
}

/** The skeleton alone. Its nested values are flat, so this is far cheaper than a deep clone. */
export function copySkeleton(span: SpanRecord): Copy<SpanSkeleton> {
  const skeleton = toSkeleton(span);
  skeleton.status = { ...skeleton.status };
  if (skeleton.usage) skeleton.usage = { ...skeleton.usage };
  if (skeleton.artifacts) skeleton.artifacts = skeleton.artifacts.map((artifact) => ({ ...artifact }));
  if (skeleton.cost) {
    const { parts } = skeleton.cost;
    skeleton.cost = { ...skeleton.cost, ...(parts && { parts: { ...parts } }) };
  }
  return { span: skeleton, length: JSON.stringify(skeleton).length };
}
