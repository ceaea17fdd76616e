// A host of its own, with real parts, that puts secrets into everything a workflow can fill, and says what it heard.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { context, createTraceState } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  SamplingDecision,
} from "@opentelemetry/sdk-trace-base";
import {
  type JsonValue,
  SPAN_KINDS,
  SpanloomError,
  type SpanRecord,
  type SpanSink,
  type TraceStore,
} from "@spanloom/model";
import { encodeSpans } from "@spanloom/model/http";
import { decodeOtlp } from "@spanloom/model/otlp";
import { createPipeline } from "@spanloom/pipeline";
import { createContentVault } from "@spanloom/pipeline/vault";
import { allowAll, createHandler } from "@spanloom/server";
import { createMemoryStore } from "@spanloom/store";
import { createFolderBlobs } from "@spanloom/store/folder-blobs";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer, type WorkflowTracer, type WorkflowTracerOptions } from "@spanloom/tracer";
import { createDiskSpool } from "@spanloom/tracer/durable";
import { mirrorTo, redactingExporter, spanProcessor } from "@spanloom/tracer/otel";
import { fullRecord, SHAPED } from "../../packages/pipeline/src/redact/canaries.test-support.ts";
import { allSecrets, CANARIES, CONTENT, MARKER, QUOTED, redaction } from "./planted-secrets.test-support.ts";

export interface SecretiveHost {
  /** Where stores and spools are made. */
  folder: string;
  /** Collectors on loopback: of the tracer, with content and without, and of the host's own exporter. */
  collectors: { own: string; ownWithoutContent: string; hosts: string; ofOurs: string; refusing: string };
  /** OTLP/JSON that real instrumentations wrote. */
  fixtures: string[];
}

/** What the host was told, by way. */
export interface Heard {
  events: string;
  ends: string;
  problems: string;
  live: string;
  answers: string;
  answersWithoutContent: string;
  /** What the vault was told of reads, and what it gave: the only place where secrets are. */
  reads: string;
  raw: string;
  counts: { spilled: number; deadLettered: number };
}

/** Where the program is. */
export const program: string = import.meta.filename;

/** The execution that has all secrets at once. */
const WITH_ALL = `execution id ${MARKER}`;

if (process.argv[1] === program) await run(JSON.parse(process.argv[2] ?? "") as SecretiveHost);

async function run(host: SecretiveHost): Promise<void> {
  const heard = {
    events: [] as unknown[],
    ends: [] as unknown[],
    problems: [] as unknown[],
    reads: [] as unknown[],
  };
  const { folder, collectors } = host;
  const tell: Partial<WorkflowTracerOptions> = {
    // Their failures quote what they were given.
    onEvent(event) {
      heard.events.push(event);
      throw new Error(`onEvent: ${JSON.stringify(event)}`);
    },
    onExecutionEnd(end) {
      heard.ends.push(end);
      throw new Error(`onExecutionEnd: ${JSON.stringify(end)}`);
    },
    onProblem: (problem) => void heard.problems.push(describe(problem)),
  };
  const make = (options: Partial<WorkflowTracerOptions> & Pick<WorkflowTracerOptions, "store">) =>
    createWorkflowTracer({
      serviceName: allSecrets,
      serviceVersion: allSecrets,
      environment: allSecrets,
      redaction,
      registerGlobally: false,
      queue: { flushIntervalMs: 1, writeTimeoutMs: 200 },
      ...options,
    });

  const store = createSqliteStore({ path: join(folder, "store", "spans.db"), retention: false });
  const keys = { current: "k", all: { k: randomBytes(32) } };
  const blobs = createFolderBlobs(join(folder, "vault"));
  const vault = createContentVault({ blobs, keys, onRead: (read) => void heard.reads.push(read) });
  const vaulted = make({ store, vault });
  const tracer = make({ store, otlp: { url: collectors.own, content: true }, ...tell });
  const handler = createHandler({
    store,
    authorize: allowAll(),
    pipeline: createPipeline({ redaction }),
    live: { quietMs: 0, gatherMs: 0 },
  });
  for (const { text } of CANARIES) await runEverything(tracer, text);
  await replay(host, tracer);
  await failInHostCode(tracer);
  await tracer.flush({ timeoutMs: 60_000 });
  await runEverything(vaulted, allSecrets);
  await vaulted.flush({ timeoutMs: 60_000 });
  const answers = await writeThroughHttp(handler);
  const live = await readEverything(handler, answers);
  const withoutContent: string[] = [];
  const authorize = allowAll({ content: false });
  const strict = createHandler({ store, authorize, readOnly: true, live: { quietMs: 0, gatherMs: 0 } });
  withoutContent.push(await readEverything(strict, withoutContent));
  const raw = await readRaw(createHandler({ store, vault, authorize: allowAll({ rawContent: true }) }));
  await askBrokenStore(answers);

  // The same with the console in place of callbacks, and a collector that may not have content.
  const exporter = new OTLPTraceExporter({ url: collectors.ofOurs });
  const processor = new BatchSpanProcessor(redactingExporter<ReadableSpan>(exporter, { redaction }));
  const silent = make({
    store: createMemoryStore(),
    otlp: { url: collectors.ownWithoutContent },
    mirror: mirrorTo(processor),
    onEvent: (event) => Promise.reject(new Error(`onEvent: ${JSON.stringify(event)}`)),
  });
  await runEverything(silent, allSecrets);
  await failInHostCode(silent);
  await silent.flush({ timeoutMs: 60_000 });
  await processor.forceFlush();

  // A store that is broken and quotes what it was given, in front of a collector that does the same.
  const quoting = (spans: readonly SpanRecord[]): Error =>
    Object.assign(new Error(`no: ${JSON.stringify(spans)} ${allSecrets}`), {
      name: allSecrets,
      code: allSecrets,
      spans,
    });
  const broken = make({
    store: { write: (spans) => Promise.reject(quoting(spans)) },
    otlp: { url: collectors.refusing, content: true },
    durability: createDiskSpool({ directory: join(folder, "spill") }),
    onProblem: tell.onProblem,
  });
  const brokenSilent = make({ store: { write: (spans) => Promise.reject(quoting(spans)) } });
  for (const each of [broken, brokenSilent]) await runEverything(each, allSecrets);
  for (;;) {
    const { queued, accepted } = broken.stats();
    if (accepted > 0 && queued === 0 && broken.stats().otlp?.queued === 0) break;
    await broken.flush({ timeoutMs: 50 });
  }
  await brokenSilent.flush({ timeoutMs: 300 });

  // A store that refuses single spans: in its answer, and by an error that speaks of the record.
  const picky: SpanSink = {
    write: async (spans) => {
      if (spans.some(({ kind }) => kind === "retriever"))
        throw new SpanloomError("invalid_record", {
          what: `no retriever: ${JSON.stringify(spans)} ${allSecrets}`,
        });
      const refused = spans.flatMap((span, index) =>
        span.kind === "llm"
          ? [{ index, code: "invalid_record" as const, message: `${JSON.stringify(span)} ${allSecrets}` }]
          : [],
      );
      return { written: spans.length - refused.length, unchanged: 0, rejected: refused };
    },
  };
  const refusing = make({
    store: picky,
    durability: createDiskSpool({ directory: join(folder, "letters") }),
    onProblem: tell.onProblem,
  });
  await runEverything(refusing, allSecrets);
  await refusing.flush({ timeoutMs: 60_000 });

  const told: Heard = {
    events: JSON.stringify(heard.events),
    ends: JSON.stringify(heard.ends),
    problems: JSON.stringify(heard.problems),
    live,
    answers: answers.join("\n"),
    answersWithoutContent: withoutContent.join("\n"),
    reads: JSON.stringify(heard.reads),
    raw: raw.join("\n"),
    counts: { spilled: broken.stats().spilled, deadLettered: refusing.stats().deadLettered },
  };
  // The files are looked at while everything is open, and again when it is closed.
  process.send?.(told);
  await new Promise((resolve) => process.once("message", resolve));
  await Promise.all(
    [tracer, vaulted, silent, broken, brokenSilent, refusing].map((each) =>
      each.shutdown({ timeoutMs: 100 }),
    ),
  );
  await store.close();
  process.disconnect();
}

/** A secret in every field that a host can fill, of spans of every kind that it can make. */
async function runEverything(tracer: WorkflowTracer, secret: string): Promise<void> {
  const text = `${MARKER} ${secret}`;
  const error = Object.assign(new Error(`${text} ${QUOTED}`, { cause: new Error(text) }), {
    name: "HostError",
    code: text,
  });
  const said = `${CONTENT} ${text}`;
  const attributes = {
    plain: text,
    "app.question": said,
    [text]: 1,
    json: JSON.stringify({ deep: [text] }),
    nested: { list: [text, { text }] },
    api_key: secret,
  };
  const content = { role: said, nested: [{ said }], json: JSON.stringify({ said }), [said]: 1 };
  const chat = [
    { role: "user", name: text, content: said },
    {
      role: "assistant",
      content: [{ type: "reasoning", text: said }],
      tool_calls: [{ id: text, function: { name: text, arguments: JSON.stringify(content) } }],
    },
    { role: "tool", tool_call_id: text, content: said },
  ];
  // Ids have a length; a secret must be whole in them.
  const id = secret.length < 150 ? `id ${secret}` : `id ${MARKER}`;
  await tracer
    .execution(
      {
        workflowId: id,
        workflowName: text,
        threadId: id,
        executionId: `execution ${id}`,
        input: content,
        attributes,
      },
      async (execution) => {
        await execution.node({ id, name: text, type: text, input: content, attributes }, async (node) => {
          node.setState({ before: content, after: { said } }).addEvent(text, { text, [text]: text });
          node.artifact({ artifactId: id, name: text, mediaType: text, hash: text });
          node.cache({ keyspace: text, hits: 1, misses: 0 });
          node.addLink(node, { text });
          node
            .startLlm({ model: text, provider: text, name: text, input: chat, attributes })
            .setOutput(said)
            .setFinishReasons([text])
            .setUsage({ input: 1, output: 1 })
            .end();
          const streamed = node.startLlm({ model: "m", provider: "p", input: said });
          for await (const _ of streamed.stream(chunksOf(said), { endSpan: true }));
          node.startEmbedding({ model: text, provider: text, name: text, input: [said], attributes }).end();
          node.startAgent({ name: text, input: said, attributes }).setOutput(content).end();
          node.startRetriever({ name: text, input: said, attributes }).setOutput([content]).end();
          for (const kind of ["cache", "http", "internal"] as const)
            node.startSpan({ name: text, kind, input: said, attributes }).setOutput(content).end();
          node.startTool({ name: text, input: content, attributes }).setOutput(content).fail(error);
          node.startTool({ name: "throws text", input: content }).fail(text);
          return { said };
        });
        throw error;
      },
    )
    .catch(() => undefined);
}

async function* chunksOf(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += 7) yield text.slice(at, at + 7);
}

/** Code of the host that tracing calls, and that fails with an error that quotes what it works on. */
async function failInHostCode(tracer: WorkflowTracer): Promise<void> {
  const fail = (): never => {
    throw Object.assign(new Error(`${MARKER} host code: ${allSecrets}`, { cause: { request: allSecrets } }), {
      name: allSecrets,
      code: allSecrets,
      request: { body: allSecrets },
    });
  };
  const trap = new Proxy({}, { ownKeys: fail, get: fail, getPrototypeOf: fail });
  tracer.guard("an engine", fail);
  await tracer.execution({ workflowId: "host code" }, async (execution) => {
    execution
      .setAttributes(trap)
      .setInput(trap)
      .setUsage(trap)
      .artifact(trap as never)
      .cache(trap as never);
    execution.startNode(trap as never).end();
    execution.startLlm(trap as never).end();
    const llm = execution.startLlm({ model: "m", provider: "p" });
    for await (const _ of llm.stream(chunksOf("abc"), { read: fail, endSpan: true }));
    execution.startTool({ name: "t" }).fail(trap);
  });
  tracer.startExecution(trap as never).end();
}

/** Spans of real instrumentations in the host's own provider, every text in them with all secrets. */
async function replay({ fixtures, collectors }: SecretiveHost, tracer: WorkflowTracer): Promise<void> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const wrapped = [false, true].map((content) =>
    redactingExporter<ReadableSpan>(new OTLPTraceExporter({ url: collectors.hosts }), { redaction, content }),
  );
  const traceState = createTraceState(`vendor=${SHAPED.github}`);
  const provider = new BasicTracerProvider({
    sampler: { shouldSample: () => ({ decision: SamplingDecision.RECORD_AND_SAMPLED, traceState }) },
    resource: resourceOf({ "service.name": `${MARKER} ${allSecrets}`, [allSecrets]: allSecrets }),
    spanProcessors: [spanProcessor(tracer), ...wrapped.map((exporter) => new BatchSpanProcessor(exporter))],
  });
  for (const file of fixtures) {
    const { spans } = decodeOtlp(JSON.parse(readFileSync(file, "utf8")));
    await tracer.execution({ workflowId: file }, async (execution) =>
      execution.node({ id: "replay" }, () => {
        for (const span of spans) replaySpan(provider, plant(span));
      }),
    );
    await provider.forceFlush();
  }
}

/** As an SDK's resource is read by its exporters. */
function resourceOf(attributes: Record<string, string>): ReadableSpan["resource"] {
  return {
    attributes,
    schemaUrl: allSecrets,
    asyncAttributesPending: false,
    waitForAsyncAttributes: () => Promise.resolve(),
    getRawAttributes: () => Object.entries(attributes),
    merge: () => resourceOf(attributes),
  };
}

function replaySpan(provider: BasicTracerProvider, { record }: { record: SpanRecord }): void {
  const { instrumentation } = record;
  const tracer = provider.getTracer(instrumentation.name, instrumentation.version, { schemaUrl: allSecrets });
  const span = tracer.startSpan(record.name, { attributes: record.attributes as never });
  for (const { name, attributes } of record.events) span.addEvent(name, attributes as never);
  for (const { traceId, spanId, attributes } of record.links)
    span.addLink({ context: { traceId, spanId, traceFlags: 1 }, attributes: attributes as never });
  span.addLink({ context: span.spanContext(), attributes: { [allSecrets]: allSecrets } });
  span.recordException(new Error(`${MARKER} ${allSecrets}`));
  span.setStatus({ code: 2, message: `${MARKER} ${allSecrets}` });
  span.end();
}

function plant(span: SpanRecord): { record: SpanRecord } {
  const planted = (value: JsonValue | undefined): JsonValue => {
    if (typeof value === "string") return `${value} ${MARKER} ${allSecrets}`;
    if (Array.isArray(value)) return value.map(planted);
    if (typeof value !== "object" || value === null) return value ?? null;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, planted(member)]));
  };
  const attributes = (of: SpanRecord["attributes"]): SpanRecord["attributes"] => planted(of) as typeof of;
  const record: SpanRecord = {
    ...span,
    name: `${span.name} ${MARKER} ${allSecrets}`,
    attributes: attributes(span.attributes),
    events: span.events.map((event) => ({ ...event, attributes: attributes(event.attributes) })),
    links: span.links.map((link) => ({ ...link, attributes: attributes(link.attributes) })),
    instrumentation: { name: `${span.instrumentation.name} ${MARKER} ${allSecrets}`, version: allSecrets },
  };
  return { record };
}

/** Records of every kind with a secret in every field, as another service would send them, and bodies that are broken. */
async function writeThroughHttp(handler: (request: Request) => Promise<Response>): Promise<string[]> {
  const answers: string[] = [];
  const post = async (body: string): Promise<void> => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body };
    answers.push(await (await handler(new Request("http://host.test/spans", init))).text());
  };
  for (const [index, { text }] of CANARIES.entries()) {
    const spans = SPAN_KINDS.map((kind, place) => ({
      ...fullRecord(`${MARKER} ${text}`),
      kind,
      executionId: `posted ${index}`,
      spanId: (index * 100 + place + 1).toString(16).padStart(16, "0"),
      endTime: "1795167000000000009",
    }));
    await post(JSON.stringify(encodeSpans(spans)));
  }
  // Their senders get an answer that must not be a log line as well.
  await post(`{"spans": [${allSecrets}`);
  return answers;
}

/** A server whose store fails and quotes what it holds; nobody listens to its failures but the console. */
async function askBrokenStore(answers: string[]): Promise<void> {
  const fail = (): never => {
    throw Object.assign(new Error(`row: ${CONTENT} ${allSecrets}`), { name: allSecrets, row: CONTENT });
  };
  const store = new Proxy({} as TraceStore, { get: () => fail });
  const handler = createHandler({ store, authorize: allowAll() });
  const ask = async (path: string, init?: RequestInit): Promise<void> => {
    answers.push(await (await handler(new Request(`http://host.test${path}`, init))).text());
  };
  await ask("/executions");
  await ask("/executions/e/spans/s");
  const denied = createHandler({
    store,
    authorize: () => Promise.reject(new Error(`${CONTENT} ${allSecrets}`)),
  });
  answers.push(await (await denied(new Request("http://host.test/config"))).text());
}

/** Every execution as panels read it: live, by page and by span. Gives the bytes of the live streams. */
async function readEverything(
  handler: (request: Request) => Promise<Response>,
  answers: string[],
): Promise<string> {
  const get = async (path: string, accept = "application/json"): Promise<string> =>
    (await handler(new Request(`http://host.test${path}`, { headers: { accept } }))).text();
  const list = await get("/executions?limit=500");
  answers.push(list);
  const { items } = JSON.parse(list) as { items: { execution_id: string }[] };
  const live: string[] = [];
  for (const { execution_id } of items) {
    const path = `/executions/${encodeURIComponent(execution_id)}`;
    live.push(await get(`${path}/trace`, "text/event-stream"));
    answers.push(await get(path), await get(`${path}/trace?view=full`));
    answers.push(await get(`/runs/${encodeURIComponent(execution_id)}/metrics`));
    if (execution_id !== WITH_ALL) continue;
    const page = JSON.parse(await get(`${path}/trace`)) as { spans: { span_id: string }[] };
    for (const { span_id } of page.spans) answers.push(await get(`${path}/spans/${span_id}`));
  }
  return live.join("\n");
}

/** What the vault kept of every span, as the one caller gets it who may see it. */
async function readRaw(handler: (request: Request) => Promise<Response>): Promise<string[]> {
  const get = async (path: string): Promise<string> =>
    (await handler(new Request(`http://host.test${path}`))).text();
  const path = `/executions/${encodeURIComponent(WITH_ALL)}`;
  const { spans } = JSON.parse(await get(`${path}/trace`)) as { spans: { span_id: string }[] };
  return Promise.all(spans.map(({ span_id }) => get(`${path}/spans/${span_id}/raw`)));
}

/** All that a host could print of a problem. */
function describe(problem: object): unknown {
  const { cause } = problem as { cause?: unknown };
  return [problem, Object.entries(problem), String(problem), describeError(cause)];
}

function describeError(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return String(error);
  const parts = Object.getOwnPropertyNames(error).map((key) => [key, Reflect.get(error, key)]);
  return [String(error), parts, "cause" in error ? describeError(error.cause) : undefined];
}
