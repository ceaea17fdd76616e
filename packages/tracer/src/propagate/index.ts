// Tell another process
export { tracedExecFile, tracedSpawn, tracedStdio, traceEnv } from "./child-process.ts";
// Join the one that asked
export { type JoinOptions, joinTrace, startJoined } from "./join.ts";
export type { TraceSource } from "./remote-span.ts";
export { type TraceHeaders, traceHeaders } from "./trace-headers.ts";
