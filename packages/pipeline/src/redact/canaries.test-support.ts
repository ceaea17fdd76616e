import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";

/** One secret of each shape. Put together here, so that no scanner of source code takes them for real ones. */
export const SHAPED: Readonly<Record<string, string>> = {
  openai: join("sk", "-proj-", "Ab3dEf6hIj9lMn2pQr5tUv8x"),
  openaiOld: join("sk", "-", "Ab3dEf6hIj9lMn2pQr5tUv8xYz1B"),
  anthropic: join("sk", "-ant-", "api03-Ab3dEf6hIj9lMn2pQr5t"),
  aws: join("AK", "IA", "Q3EGRZ7N2XW5KJ4M"),
  github: join("gh", "p_", "Ab3dEf6hIj9lMn2pQr5tUv8xYz1Bc4Df7Gh0"),
  githubFine: join("github", "_pat_", "11AB3DEF6hIj9lMn2pQr5tUv8xYz"),
  gitlab: join("gl", "pat-", "Ab3dEf6hIj9lMn2pQr5t"),
  slack: join("xo", "xb-", "123456789012-Ab3dEf6hIj9l"),
  stripe: join("sk", "_live_", "Ab3dEf6hIj9lMn2pQr5t"),
  google: join("AI", "za", "SyAb3dEf6hIj9lMn2pQr5tUv8xYz1Bc4Df7"),
  npm: join("np", "m_", "Ab3dEf6hIj9lMn2pQr5tUv8xYz1Bc4Df7Gh0"),
  jwt: join("ey", "JhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiJjYW5hcnkifQ", ".c2lnbmF0dXJlLW9mLWNhbmFyeQ"),
  privateKey: join(
    "-----BEGIN RSA ",
    "PRIVATE KEY-----\nMIIEpAIBAAKCAQEAcanary+/==\n-----END RSA ",
    "PRIVATE KEY-----",
  ),
};

/** Secrets that only their surroundings tell: the text and the part of it that must go. */
export const IN_CONTEXT: readonly (readonly [text: string, secret: string])[] = [
  ["Authorization: Bearer canary-abc-123", "canary-abc-123"],
  [`{"headers":{"Authorization":"Basic ${btoa("user:canary-pw")}"}}`, btoa("user:canary-pw")],
  [`curl -H 'authorization: Basic ${btoa("user:canary-pw")}' host`, btoa("user:canary-pw")],
  ["sent Bearer canary.opaque.tok3n to it", "canary.opaque.tok3n"],
  ["one\\nBearer canary.opaque.tok3n", "canary.opaque.tok3n"],
  ["postgres://app:canary-pw@db:5432/main", "canary-pw"],
  ["postgres://app:can/ary-pw@db:5432/main", "ary-pw"],
  ["https://user:c@nary-pw@host/path", "nary-pw"],
  ["Server=db;User Id=sa;Password=canaryword;Encrypt=true", "canaryword"],
  ["AccountName=x;AccountKey=canarykeycanary==;EndpointSuffix=y", "canarykeycanary"],
  ["host=db user=app password=canaryword dbname=x", "canaryword"],
  ["GET /v1?api_key=canaryword&x=1", "canaryword"],
  ["OPENAI_API_KEY=canaryword\nDEBUG=1", "canaryword"],
  ["openai openai_api_key=canaryword debug=1", "canaryword"],
  ["accountname=x;accountkey=canarykeycanary==;endpointsuffix=y", "canarykeycanary"],
  ["run --password=canaryword now", "canaryword"],
  ['const apiKey = "canary-1234";', "canary-1234"],
  ["Cookie: session=canaryword; theme=dark", "canaryword"],
  ["x-api-key: canary-1234", "canary-1234"],
  ['{"a":1,"password":"canaryword"}', "canaryword"],
  ['{"a":1,"password":"canary', "canary"],
  ['the body was {"client_secret": "canaryword"}, sorry', "canaryword"],
  ['log {\\"password\\":\\"canaryword\\"} end', "canaryword"],
  ['{"body":"{\\"password\\":\\"canary\\\\\\"canarytail\\"}"}', "canarytail"],
  ['[["authorization","canaryword"],["accept","*"]]', "canaryword"],
  ['{"headers":[{"name":"authorization","value":"canaryword"}]}', "canaryword"],
  ['["node","cli.js","--password","canaryword"]', "canaryword"],
  ["line one\\npassword=canary1234", "canary1234"],
  ["my api key is c4naRyK3y9xQ2mT7, keep it", "c4naRyK3y9xQ2mT7"],
  ["The new password will be `c4naRyK3y9xQ2mT7`.", "c4naRyK3y9xQ2mT7"],
  ["curl -s -u ada:canary-pw https://host/", "canary-pw"],
  ["curl --user 'ada:canary-pw' host", "canary-pw"],
  ['curl -u "ada:correct horse canary-pw" host', "horse canary-pw"],
  ["curl -u 'ada:a\"canary-pw' host", "canary-pw"],
  ["curl -sS \\\n  -u ada:canary-pw https://host/", "canary-pw"],
  ["curl -su ada:canary-pw https://host/", "canary-pw"],
  ['CREATE USER ada IDENTIFIED BY "it\'s-canary-pw"', "canary-pw"],
  ["CREATE USER ada IDENTIFIED BY 'it''s-canary-pw'", "canary-pw"],
  ["CREATE USER ada IDENTIFIED BY 'canary-pw'", "canary-pw"],
  ["**Password:** `canary-1234`", "canary-1234"],
  ["| API key | `c4naRyK3y9xQ2mT7` |", "c4naRyK3y9xQ2mT7"],
  ["<db><password>canaryword</password></db>", "canaryword"],
  ['<wsse:Password Type="PasswordText">canaryword</wsse:Password>', "canaryword"],
  ["<accessToken>c4naRyK3y9xQ2mT7</accessToken>", "c4naRyK3y9xQ2mT7"],
  ["/cb?next=https%3A%2F%2Fhost%2F%3Fapi_key%3Dcanaryword", "canaryword"],
  ["next=https%253A%252F%252Fhost%252F%253Faccess_token%253Dcanaryword", "canaryword"],
  ["postgres%3A%2F%2Fapp%3Acanary-pw%40db%2Fmain", "canary-pw"],
  ["q=100%25&password=ab%26canary-pw", "canary-pw"],
  ["next=https%3A%2F%2Fhost%2F%3Fpassword%3Dab%2526canary-pw%26page%3D2", "canary-pw"],
  ['Error: {"url":"https://host/?a=1\\u0026token=canaryword"} at x', "canaryword"],
  ["grant=x&client%5Fsecret=canaryword", "canaryword"],
  ["body=%7B%22password%22%3A%22canaryword%22%7D", "canaryword"],
  ["access token -> c4a9b7e3d1f2a8b6c5d4e3f2a1b0c9d8", "c4a9b7e3d1f2a8b6"],
];

/** Personal data of each kind that can be found by its form. */
export const PERSONAL: Readonly<Record<string, string>> = {
  card: "4929 6095 1834 2272",
  iban: "DE75 5121 0800 1245 1261 99",
  ssn: "219-46-8135",
  email: "canary.person@mail.example.org",
  phone: "+49 30 9018 20177",
};

/** A record that carries `text` in every field that can hold one, `secretKeyed` under secret names, and in keys. */
export function fullRecord(text: string): SpanRecord {
  const attributes = { plain: text, [`key ${text}`]: 1, list: ["a", text], nested: { deep: [{ er: text }] } };
  const content = { hash: "0".repeat(64), length: 1, reason: text };
  return makeSpan({
    executionId: `execution ${text}`,
    workflowId: `workflow ${text}`,
    workflowName: text,
    threadId: text,
    nodeId: `node ${text}`,
    nodeType: text,
    agent: text,
    model: text,
    provider: text,
    name: `call ${text}`,
    status: { code: "error", message: `failed: ${text}` },
    attributes: { ...attributes, json: JSON.stringify({ inner: text, more: JSON.stringify([text]) }) },
    events: [
      { name: text, time: "1795167000000000001", attributes },
      {
        name: "exception",
        time: "1795167000000000002",
        attributes: { "exception.message": text, "exception.stacktrace": `Error: ${text}\n  at f (${text})` },
      },
    ],
    links: [{ traceId: "a".repeat(32), spanId: "b".repeat(16), traceState: text, attributes }],
    resource: { attributes, schemaUrl: text },
    instrumentation: { name: text, version: text, attributes, schemaUrl: text },
    traceState: `vendor=${text}`,
    artifacts: [{ artifactId: text, name: text, mediaType: text, hash: text }],
    cache: [{ keyspace: text, hits: 1, misses: 0 }],
    finishReasons: [text],
    cost: { nanoUsd: 1, source: "reported", priceVersion: text },
    redactions: [{ rule: text, count: 1 }],
    provenance: { [text]: { dialect: text, key: text } },
    input: {
      format: "messages",
      state: "captured",
      ...content,
      messages: [
        { role: text, name: text, finishReason: text, parts: [{ type: "text", content: text }] },
        {
          role: "assistant",
          parts: [
            { type: "reasoning", content: text },
            { type: "tool_call", id: text, name: text, arguments: { command: text } },
            { type: "tool_call", name: "f", arguments: JSON.stringify({ command: text }) },
            { type: "tool_call_response", id: text, response: [text] },
            { type: "media", modality: text, mimeType: text, uri: text },
            { type: "other", value: { any: text } },
          ],
        },
      ],
    },
    output: { format: "json", state: "captured", ...content, json: attributes },
    stateBefore: { format: "text", state: "captured", ...content, text },
    stateAfter: { format: "json", state: "truncated", ...content, text: `{"inner": "${text}", "x` },
  });
}

function join(...parts: string[]): string {
  return parts.join("");
}
