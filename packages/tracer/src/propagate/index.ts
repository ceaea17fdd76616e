// What a span tells another process. That one joins with `tracer.join`.
export { tracedExecFile, tracedSpawn, tracedStdio, traceEnv } from "./child-process.ts";
export { type TraceHeaders, traceHeaders } from "./trace-headers.ts";
