import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer, type WorkflowTracer } from "@spanloom/tracer";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** One secret of each kind. Put together here, so that no scanner of source code takes them for real ones. */
const secrets = {
  openai: ["sk", "-proj-", "Zx9cVb8nMq7wEr6tYu5iOp4a"].join(""),
  github: ["gh", "p_", "Zx9cVb8nMq7wEr6tYu5iOp4aSd3fGh2jKl1z"].join(""),
  jwt: ["ey", "JhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiJrYW5hcmllIn0", ".a2FuYXJpZW52b2dlbA"].join(""),
  privateKey: [
    "-----BEGIN ",
    "PRIVATE KEY-----\nkanarienvogelKANARIENVOGEL0123\n-----END ",
    "PRIVATE KEY-----",
  ].join(""),
  password: "kanarie-pw-71",
  urlPassword: "kanarie-url-72",
  bearer: "kanarie.bearer.t0ken",
  handedOver: "k4n4rI3h4nD3d0v3r",
  card: "4929609518342272",
  iban: "DE75512108001245126199",
  ssn: "219-46-8135",
  email: "kanarie@mail.example.org",
  phone: "+49 30 9018 20177",
  host: "CN-71727374",
};

/** A text with all of them, each as it is met. */
const text = [
  `keys ${secrets.openai} and ${secrets.github}, ${secrets.jwt}`,
  secrets.privateKey,
  `{"password":"${secrets.password}"} postgres://app:${secrets.urlPassword}@db/main`,
  `Authorization: Bearer ${secrets.bearer}`,
  `the api key is ${secrets.handedOver}`,
  `pay ${secrets.card} to ${secrets.iban}, ${secrets.ssn}, ${secrets.email}, ${secrets.phone}, ${secrets.host}`,
].join("\n");

const needles = Object.values(secrets).flatMap((secret) => secret.split("\n"));

let folder = "";
let received: string[] = [];
let answer = 200;
const collector = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    received.push(JSON.stringify(request.headers), plain.toString("latin1"));
    // A collector that echoes what it got into its error message.
    response.writeHead(answer).end(answer === 200 ? "{}" : plain);
  });
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "spanloom-canaries-"));
  received = [];
  answer = 200;
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  vi.restoreAllMocks();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

test("no secret of a run comes to rest anywhere, or leaves by any way", async () => {
  const heard: unknown[] = [];
  const logged = listenToConsole();
  const store = createSqliteStore({ path: join(folder, "spans.db") });
  const { port } = collector.address() as AddressInfo;
  const tracer = createWorkflowTracer({
    store,
    serviceName: text,
    environment: text,
    otlp: { url: `http://127.0.0.1:${port}/v1/traces`, content: true },
    redaction: {
      personalData: true,
      patterns: [{ name: "customer", pattern: "CN-\\d{8}" }],
      tokens: { keys: [{ id: "k1", secret: "the secret of this test alone" }] },
    },
    onEvent: (event) => void heard.push(event),
    onExecutionEnd: (end) => void heard.push(end),
    onProblem: (problem) => void heard.push(describe(problem)),
  });
  await runEverything(tracer);
  expect(await tracer.flush()).toBe(true);

  // The list of places where a run leaves something. What is added to the flow is added here.
  const places: Record<string, () => string> = {
    "the store's files": () => filesOf(folder),
    "what the collector got": () => received.join("\n"),
    "events, ends and problems": () => JSON.stringify(heard),
    "the console": () => logged.join("\n"),
  };
  const look = (): void => {
    for (const [place, read] of Object.entries(places)) {
      const found = needles.filter((needle) => read().includes(needle));
      expect(found, place).toEqual([]);
    }
  };
  look();
  // They were there to be found: what stands in their place is everywhere.
  expect(places["the store's files"]?.()).toContain("[email:k1:");
  expect(places["what the collector got"]?.()).toContain("[email:k1:");
  expect(places["events, ends and problems"]?.()).toContain("[email:k1:");

  // A collector that refuses, and says back what it was sent.
  answer = 400;
  await runEverything(tracer);
  await tracer.shutdown({ timeoutMs: 2_000 });
  await store.close();
  look();
});

/** A secret in every field that a host can fill, of spans of every kind that it can make. */
async function runEverything(tracer: WorkflowTracer): Promise<void> {
  const error = new Error(text, { cause: new Error(text) });
  const attributes = {
    plain: text,
    [text]: 1,
    json: JSON.stringify({ deep: [text] }),
    api_key: secrets.password,
  };
  const content = { role: text, nested: [{ text }], json: JSON.stringify({ text }) };
  const failing = tracer.execution(
    { workflowId: text, workflowName: text, threadId: text, input: content, attributes },
    async (execution) => {
      await execution.node({ id: text, name: text, type: text, input: content, attributes }, async (node) => {
        node.setState({ before: content, after: { text } }).addEvent(text, { text });
        node.artifact({ artifactId: text, name: text, mediaType: text });
        node.cache({ keyspace: text, hits: 1, misses: 0 });
        await node.llm(
          { model: text, provider: text, name: text, input: [{ role: "user", content: text }] },
          (llm) => {
            llm.setOutput(text).setFinishReasons([text]).setUsage({ input: 1, output: 1 });
          },
        );
        const tool = node.startTool({ name: text, input: content });
        tool.setOutput(content).fail(error);
        return { text };
      });
      throw error;
    },
  );
  await expect(failing).rejects.toBe(error);
}

function describe(problem: object): unknown {
  const { cause } = problem as { cause?: unknown };
  return [problem, Object.entries(problem), String(problem), cause instanceof Error ? cause.stack : cause];
}

function filesOf(path: string): string {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1")).join("\n");
}

function listenToConsole(): string[] {
  const lines: string[] = [];
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation(
      (...parts: unknown[]) => void lines.push(parts.map(String).join(" ")),
    );
  }
  return lines;
}
