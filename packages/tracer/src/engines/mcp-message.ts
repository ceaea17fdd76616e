import type { SpanHandle, SpanOptions } from "../span-handle.ts";

/** A request as MCP's SDK hands it on. Source: Model Context Protocol, `tools/call`, `resources/read`, `prompts/get`. */
export interface McpRequest {
  method: string;
  params?: Readonly<Record<string, unknown>> & { _meta?: Readonly<Record<string, unknown>> };
}

/** The span for a request that has one: what does work or brings content. Attributes are OpenTelemetry's for MCP. */
export function spanOf({ method, params }: McpRequest): SpanOptions | undefined {
  const attributes = { "mcp.method.name": method };
  switch (method) {
    case "tools/call":
      return {
        name: typeof params?.name === "string" ? params.name : method,
        kind: "tool",
        input: params?.arguments,
        attributes,
      };
    case "prompts/get":
      return {
        name: method,
        input: params?.arguments,
        attributes: { ...attributes, "gen_ai.prompt.name": params?.name },
      };
    case "resources/read":
      return { name: method, attributes: { ...attributes, "mcp.resource.uri": params?.uri } };
    default:
      return undefined;
  }
}

/** Ends the span with a result. A tool says in its result that it failed: MCP reports no error for that. */
export function endWith(span: SpanHandle, result: unknown, content: boolean): void {
  const { isError, content: parts, structuredContent, contents, messages } = isObject(result) ? result : {};
  if (content) span.setOutput(structuredContent ?? textOf(parts) ?? parts ?? contents ?? messages);
  if (isError === true) span.fail(new Error(textOf(parts) ?? "The tool reported an error."));
  else span.end();
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The text of content that is nothing but text. */
function textOf(parts: unknown): string | undefined {
  if (!Array.isArray(parts) || parts.length === 0) return undefined;
  const texts: string[] = [];
  for (const part of parts) {
    if (!isObject(part) || part.type !== "text" || typeof part.text !== "string") return undefined;
    texts.push(part.text);
  }
  return texts.join("\n");
}
