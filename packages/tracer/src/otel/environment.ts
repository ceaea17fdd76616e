import type { ProblemReporter } from "../problems.ts";
import { checkOtlpUrl, isHttpUrl, type OtlpOptions } from "./otlp-options.ts";
import { NO_LIMITS, type SpanLimits } from "./span-limits.ts";

/** What `OTEL_*` variables say. Options given in code stand before all of it. */
export interface OtelEnvironment {
  disabled: boolean;
  resource: Record<string, string>;
  limits: SpanLimits;
  /** Absent where no endpoint is set, or exporting traces is switched off. */
  otlp?: { url: string; headers: Record<string, string>; timeoutMs?: number };
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Source: OpenTelemetry specification, "Environment Variable Specification" and "OpenTelemetry Protocol Exporter". */
export function readEnvironment(env: Variables, problems: ProblemReporter): OtelEnvironment {
  const { OTEL_SERVICE_NAME: serviceName } = env;
  const given = (name: string): string | undefined => env[`OTEL_SPAN_${name}`] ?? env[`OTEL_${name}`];
  const environment: OtelEnvironment = {
    disabled: env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true",
    resource: { ...pairs(env.OTEL_RESOURCE_ATTRIBUTES), ...(serviceName && { "service.name": serviceName }) },
    limits: {
      attributes: count(given("ATTRIBUTE_COUNT_LIMIT"), "attributes"),
      events: count(env.OTEL_SPAN_EVENT_COUNT_LIMIT, "events"),
      links: count(env.OTEL_SPAN_LINK_COUNT_LIMIT, "links"),
      valueLength: count(given("ATTRIBUTE_VALUE_LENGTH_LIMIT"), "valueLength"),
    },
  };
  const otlp = otlpOf(env, problems);
  if (otlp !== undefined) environment.otlp = otlp;
  return environment;
}

/** Where spans are posted to: the host's options stand before the environment. */
export function otlpOptions(
  given: Partial<OtlpOptions> | false | undefined,
  { otlp }: OtelEnvironment,
): OtlpOptions | undefined {
  if (given === false || (given === undefined && otlp === undefined)) return undefined;
  const url = given?.url ?? otlp?.url ?? "";
  checkOtlpUrl(url);
  return { ...given, url, headers: { ...otlp?.headers, ...given?.headers } };
}

function otlpOf(env: Variables, problems: ProblemReporter): OtelEnvironment["otlp"] {
  const forTraces = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  const forAll = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim();
  if (!forTraces && !forAll) return undefined;
  const given = (name: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ?? env[`OTEL_EXPORTER_OTLP_${name}`];
  if (!/(^|,)\s*(otlp)?\s*(,|$)/.test(env.OTEL_TRACES_EXPORTER ?? "")) return undefined;
  const url = forTraces || `${forAll?.replace(/\/+$/, "")}/v1/traces`;
  const fault =
    given("PROTOCOL")?.trim() === "grpc"
      ? "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, which the tracer does not speak"
      : isHttpUrl(url)
        ? undefined
        : "OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL";
  if (fault !== undefined) {
    problems.report(
      "invalid_argument",
      "environment",
      `${fault}: no spans are sent to a collector. Set the http endpoint, such as http://localhost:4318, or give \`otlp\`.`,
    );
    return undefined;
  }
  const timeoutMs = Number(given("TIMEOUT"));
  return {
    url,
    headers: { ...pairs(env.OTEL_EXPORTER_OTLP_HEADERS), ...pairs(env.OTEL_EXPORTER_OTLP_TRACES_HEADERS) },
    ...(timeoutMs > 0 && { timeoutMs }),
  };
}

/** `a=1,b=two%20words`. What cannot be read is left out. Source: W3C Baggage. */
function pairs(text: string | undefined): Record<string, string> {
  const out: Record<string, string> = {};
  for (const pair of text?.split(",") ?? []) {
    const at = pair.indexOf("=");
    const key = decoded(pair.slice(0, at).trim());
    const value = decoded(pair.slice(at + 1).trim());
    if (at > 0 && key && value !== undefined) out[key] = value;
  }
  return out;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function count(text: string | undefined, limit: keyof SpanLimits): number {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : NO_LIMITS[limit];
}
