export {
  buildSpanTree,
  preOrder,
  type SpanTree,
  type SpanTreeNode,
  type TreeSpan,
} from "./build-span-tree.ts";
