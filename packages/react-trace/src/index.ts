export { traceMessages } from "./messages.ts";
export { TraceTab, type TraceTabProps } from "./trace-tab/TraceTab.tsx";
export type { SelectionProps } from "./trace-tab/use-selection.ts";
