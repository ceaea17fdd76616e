import { type MessageKey, type Translate, useMessages } from "@spanloom/react-core";
import { traceMessages } from "./messages.ts";

export type TraceTranslate = Translate<MessageKey<typeof traceMessages>>;

export function useTraceMessages(): TraceTranslate {
  return useMessages(traceMessages);
}
