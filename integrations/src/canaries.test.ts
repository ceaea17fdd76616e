import { fork } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decodeOtlp } from "@spanloom/model/otlp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allSecrets, CONTENT, MARKER, NEEDLES, QUOTED } from "./planted-secrets.test-support.ts";
import { type Heard, program, type SecretiveHost } from "./secretive-host.test-support.ts";

const fixtureFolder = join(import.meta.dirname, "../../packages/pipeline/src/normalize/dialects/fixtures");
const fixtures = globSync("*.json", { cwd: fixtureFolder }).map((name) => join(fixtureFolder, name));

/** Somewhere a run leaves something: what is there, and what proves that it is. */
interface Place {
  read(): string;
  /** Found in it, or nothing has been looked at. */
  holds: readonly string[];
  /** Content that has no business here either. */
  never?: readonly string[];
}

const servers: Server[] = [];
let folder = "";
let heard: Heard;
let look: () => Record<string, string>;
let finish: () => Promise<void>;
/** What is added to the flow is added here. */
let places: Record<string, Place>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spanloom-places-"));
  mkdirSync(join(folder, "store"));
  const own = await startCollector();
  const ownWithoutContent = await startCollector();
  const hosts = await startCollector();
  const ofOurs = await startCollector();
  const refusing = await startCollector(400);
  const host: SecretiveHost = {
    folder,
    fixtures,
    collectors: {
      own: own.url,
      ownWithoutContent: ownWithoutContent.url,
      hosts: hosts.url,
      ofOurs: ofOurs.url,
      refusing: refusing.url,
    },
  };
  const child = fork(program, [JSON.stringify(host)], {
    execArgv: ["--conditions=@spanloom/source"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      printed += chunk.toString("latin1");
    });
  const closed = once(child, "close");
  const [told] = await Promise.race([
    once(child, "message"),
    closed.then(([code]) => Promise.reject(new Error(`The host ended with ${code}: ${printed}`))),
  ]);
  heard = told as Heard;
  finish = async () => {
    child.send("end");
    expect(await closed).toEqual([0, null]);
  };
  // Who wrote the fixtures: their spans came through.
  const dialects = fixtures.flatMap((file) =>
    decodeOtlp(JSON.parse(readFileSync(file, "utf8"))).spans.map(
      ({ instrumentation }) => `${instrumentation.name} ${MARKER}`,
    ),
  );
  places = {
    "the store's files": {
      read: () => filesIn("store"),
      holds: [MARKER, CONTENT, "[email:k1:", ...new Set(dialects)],
    },
    "the spill log": { read: () => filesIn("spill", "**/*.log"), holds: [MARKER, CONTENT, "[email:k1:"] },
    "dead letters": { read: () => filesIn("letters", "**/*.jsonl"), holds: [MARKER, CONTENT, "[email:k1:"] },
    "the vault's files": { read: () => filesIn("vault"), holds: ['"ciphertext"'], never: [CONTENT, MARKER] },
    "what the vault says of reads": { read: () => heard.reads, holds: [MARKER], never: [CONTENT] },
    "every file": { read: () => filesIn("."), holds: [MARKER] },
    "what our exporter sent": { read: own.received, holds: [MARKER, CONTENT, "[email:k1:"] },
    "what our exporter sent without content": {
      read: ownWithoutContent.received,
      holds: [MARKER, "[email:k1:", "HostError"],
      never: [CONTENT, QUOTED],
    },
    "what a wrapped exporter of the host sent of our spans": {
      read: ofOurs.received,
      holds: [MARKER, "[email:k1:"],
      never: [CONTENT],
    },
    "what a wrapped exporter of the host sent": {
      read: hosts.received,
      holds: [MARKER, "[email:k1:", ...new Set(dialects)],
    },
    "what a collector refused": { read: refusing.received, holds: [MARKER] },
    "live events": { read: () => heard.live, holds: [MARKER, "[email:k1:"], never: [CONTENT] },
    "answers of the server": { read: () => heard.answers, holds: [MARKER, CONTENT, QUOTED, "[email:k1:"] },
    "answers to callers who may not see content": {
      read: () => heard.answersWithoutContent,
      holds: [MARKER, "[email:k1:", "not_permitted", "[not permitted]", "HostError"],
      never: [CONTENT, QUOTED],
    },
    events: { read: () => heard.events, holds: [MARKER, "[email:k1:"], never: [CONTENT] },
    "ends of executions": { read: () => heard.ends, holds: [MARKER, "[email:k1:"], never: [CONTENT, QUOTED] },
    "problem reports": { read: () => heard.problems, holds: [MARKER, "delivery_failed", "callback_failed"] },
    "the console": {
      read: () => printed,
      holds: ["spanloom: delivery_failed", "spanloom: callback_failed", "Spanloom could not answer"],
      never: [CONTENT, QUOTED],
    },
  };
  look = () => {
    const found: Record<string, string> = {};
    for (const [place, { read, never = [] }] of Object.entries(places)) {
      const text = read();
      for (const needle of [...NEEDLES, ...never]) {
        const at = text.indexOf(needle);
        if (at >= 0)
          found[`${place}: ${needle}`] = text.slice(Math.max(0, at - 200), at + needle.length + 50);
      }
    }
    return found;
  };
}, 240_000);

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

test("no secret of a run comes to rest anywhere or leaves by any way, and content only where it belongs", async () => {
  // Each place was reached: what is no secret is there.
  for (const [place, { read, holds }] of Object.entries(places)) {
    const text = read();
    for (const word of holds) expect(text.includes(word), `${word} in ${place}`).toBe(true);
  }
  expect(statSync(join(folder, "store/spans.db-wal")).size).toBeGreaterThan(0);
  expect(heard.counts.spilled).toBeGreaterThan(10);
  // The span that the store names, and the one that it throws for.
  expect(heard.counts.deadLettered).toBeGreaterThanOrEqual(2);
  // What the vault's files hold comes back to the one who may see it, as it was.
  for (const secret of allSecrets.split("\n"))
    expect(heard.raw).toContain(JSON.stringify(secret).slice(1, -1));
  expect(fixtures.length).toBeGreaterThanOrEqual(10);

  expect(look()).toEqual({});
  // What is written when everything is closed.
  await finish();
  expect(look()).toEqual({});
});

function filesIn(path: string, pattern = "**"): string {
  const cwd = join(folder, path);
  return globSync(pattern, { cwd, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), "latin1"))
    .join("\n");
}

/** One that keeps every byte that it gets, and says it back when it refuses. */
async function startCollector(status = 200): Promise<{ url: string; received: () => string }> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      received.push(JSON.stringify(request.headers), plain.toString("latin1"));
      response.writeHead(status).end(status === 200 ? "" : plain);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1/traces`, received: () => received.join("\n") };
}
