import { recordProblem, type SpanRecord } from "@spanloom/model";
import { makeSpan, sampleTrace, textContent } from "@spanloom/model/fixtures";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fullRecord, IN_CONTEXT, SHAPED } from "./canaries.test-support.ts";
import { compileRules } from "./compile-rules.ts";
import type { RedactionOptions } from "./options.ts";
import { createRedactor } from "./redact-span.ts";

const redact = createRedactor(compileRules());

function clean(fields: Partial<SpanRecord>, options?: RedactionOptions): SpanRecord {
  return (options === undefined ? redact : createRedactor(compileRules(options)))(makeSpan(fields));
}

function cleanText(text: string): string {
  return clean({ name: text }).name;
}

describe("secrets of a known shape", () => {
  test.each(Object.entries(SHAPED))("%s is found in every field", (_name, secret) => {
    const record = redact(fullRecord(secret));
    // The end of a private key's body would show that only its first line went.
    for (const part of secret.split("\n")) expect(JSON.stringify(record)).not.toContain(part);
    expect(record.name).toMatch(/^call \[redacted:[\w-]+\]$/);
  });

  test.each(Object.entries(SHAPED))("%s is found behind escapes and quotes", (_name, secret) => {
    for (const text of [`a\\n${secret}`, `x="${secret}"`, `x%3D${secret}`, `(${secret})`, `'${secret}',`]) {
      expect(cleanText(text)).not.toContain(secret);
    }
  });

  test("a record of one secret stays a valid record", () => {
    expect(recordProblem(redact(fullRecord(SHAPED.github as string)))).toBeUndefined();
  });

  test("a private key whose end was cut off goes to its last line", () => {
    const text = (SHAPED.privateKey as string).split("-----END")[0] as string;
    expect(cleanText(`key: ${text}`)).toBe("key: [redacted:private-key]");
  });

  test("bytes are read as text", () => {
    const value = { $bytes: btoa(`x ${SHAPED.github}`) };
    expect(clean({ attributes: { value, other: { $bytes: "aGk=" } } }).attributes).toEqual({
      value: "[redacted:bytes]",
      other: { $bytes: "aGk=" },
    });
  });
});

describe("secrets that their surroundings tell", () => {
  test.each(IN_CONTEXT)("%s", (text, secret) => {
    expect(cleanText(text)).not.toContain(secret);
    expect(cleanText(`Before it: ${text}`)).not.toContain(secret);
    expect(JSON.stringify(redact(fullRecord(text)))).not.toContain(secret);
  });

  test("a key that JSON spells with escapes", () => {
    expect(cleanText('{"p\\u0061ssword":"canary"}')).toBe('{"password":"[redacted:password]"}');
  });

  test("what stands around stays", () => {
    expect(cleanText("postgres://app:hunter2@db:5432/main")).toBe(
      "postgres://app:[redacted:url-password]@db:5432/main",
    );
    expect(cleanText("GET /v1?api_key=abcdef&page=2")).toBe("GET /v1?api_key=[redacted:key]&page=2");
    expect(cleanText("Authorization: Bearer abc.def")).toBe("Authorization: Bearer [redacted:authorization]");
    expect(cleanText('{"user":"ada","password":"x","id":12345678901234567890}')).toBe(
      '{"user":"ada","password":"[redacted:password]","id":"12345678901234567890"}',
    );
  });
});

describe("secret keys", () => {
  test.each([
    "authorization",
    "Proxy-Authorization",
    "http.request.header.authorization",
    "api_key",
    "apiKey",
    "OPENAI_API_KEY",
    "x-api-key",
    "password",
    "userPassword",
    "PGPASSWORD",
    "db.password",
    "client_secret",
    "aws_secret_access_key",
    "secret",
    "token",
    "access_token",
    "refreshToken",
    "id_token",
    "cookie",
    "Set-Cookie",
    "private_key",
    "privateKeyPem",
    "connection_string",
    "connectionString",
    "db.connection_string",
    "credentials",
    "headers.cookie.0",
    "openai_key",
    "AZURE_OPENAI_KEY",
    "api_key_prod",
    "secret_v2",
    "code_verifier",
    "device_code",
    "seedPhrase",
  ])("%s", (key) => {
    const { attributes } = clean({ attributes: { [key]: "canary", in: { [key]: ["canary"] } } });
    expect(JSON.stringify(attributes)).not.toContain("canary");
  });

  test.each([
    "input_tokens",
    "max_tokens",
    "token_count",
    "gen_ai.usage.input_tokens",
    "total_token",
    "time_to_first_token",
    "next_page_token",
    "tokenizer",
    "token_type",
    "public_key",
    "primary_key",
    "cache_key",
    "key",
    "keyspace",
    "password_policy",
    "secret_name",
    "cookie_consent",
    "author",
    "authorization_url",
    "session.id",
    "monkey",
    "passed",
    "tokens",
    "prompt_tokens",
    "status_code",
    "cache_key_v2",
    "country_code",
  ])("%s is none", (key) => {
    const attributes = { [key]: "value" };
    expect(clean({ attributes }).attributes).toEqual(attributes);
  });

  test("numbers, nothing and descriptions", () => {
    const attributes = { password: 1234, token: 12, secret: null, api_key: "", has_password: true };
    expect(clean({ attributes }).attributes).toEqual({ ...attributes, password: "[redacted:password]" });
    const schema = { properties: { password: { type: "string", minLength: 8 } } };
    expect(clean({ attributes: { schema } }).attributes).toEqual({ schema });
    const logprobs = [{ token: "Hello", logprob: -0.1 }];
    expect(clean({ attributes: { logprobs } }).attributes).toEqual({ logprobs });
  });

  test("where a word alone says little, what looks made up is taken out, and words are not", () => {
    const random = "c4naRyK3y9xQ2mT7";
    const attributes = {
      tokens: ["Hello", " world", random],
      refreshTokens: { ada: random, note: "none" },
      token: { type: "Bearer", value: random, expires: 3600, of: { user: random } },
    };
    expect(clean({ attributes }).attributes).toEqual({
      tokens: ["Hello", " world", "[redacted:token]"],
      refreshTokens: { ada: "[redacted:token]", note: "none" },
      token: { type: "Bearer", value: "[redacted:token]", expires: 3600, of: { user: random } },
    });
  });

  test("a private JSON Web Key loses what makes it one", () => {
    const open = { kty: "EC", crv: "P-256", x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", kid: "k1" };
    const d = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X2fCE9-E9LI";
    const attributes = { key: { ...open, d }, text: JSON.stringify({ keys: [{ ...open, d }] }), open };
    const hidden = { ...open, d: "[redacted:private-key]" };
    expect(clean({ attributes }).attributes).toEqual({
      key: hidden,
      text: JSON.stringify({ keys: [hidden] }),
      open,
    });
  });

  test("keys that become equal keep both values", () => {
    const other = (SHAPED.github as string).replace("Ab3", "Zz9");
    const { attributes } = clean({ attributes: { [SHAPED.github as string]: 1, [other]: 2 } });
    expect(attributes).toEqual({ "[redacted:github-token]": 1, "[redacted:github-token] (2)": 2 });
  });
});

describe("what is nobody's secret", () => {
  test.each([
    "The token budget was 4096 tokens; the secret of good prose is to pass the key points on.",
    "Basic requirements: a bearer of news, the basic authentication scheme, and password rules.",
    "Set `authorization: required` and choose a password: it should be long.",
    "The task-management-system-for-everyone and risk-assessment-of-the-year are class names.",
    '<div class="sk-fading-circle-container sk-loading-spinner-container">',
    "const token = await getToken(request.headers.get('authorization'));",
    "const password = process.env.DB_PASSWORD ?? options.password;",
    "function login(user: string, password: string): Promise<Token> { return api.post('/login', { user, password }); }",
    "headers: { Authorization: `Bearer $" + "{token}` }",
    "connect(user=name, password=secret)",
    "for (const key in object) map[key] = value; // key: the name",
    'if (text.includes("-----BEGIN PRIVATE KEY-----")) throw new Error("no keys");',
    "9b2f6a54-0c1d-4e8f-a7b3-5d6c7e8f9a0b",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "7b0c5c1e2f4d4a6f9c3b1d2e4f5a6b7c",
    "http://localhost:3000/path?page=2&sort=-startTime&next_page_token=abc",
    "see http://host:8080/a and mail me at ada@example.com",
    "git@github.com:owner/name.git",
    "2026-11-21T09:30:00.000000001Z took 12.5 ms and cost 0.0035 USD",
    'JSON {"max_tokens":4096,"token_count":12,"keys":["a","b"],"public_key":"abc"}',
    '["password","email","name"]',
    "<Token>Sign in</Token> <token>Hello</token> <password>{password}</password> <Key>reports/2026.csv</Key>",
    "100% of passwords, 50%25 off, caf%C3%A9 and https%3A%2F%2Fhost%2F%3Fpage%3D2%26q%3Dtoken",
    "| token | count |",
    'curl -u "$USER:$TOKEN" host; docker run -u 1000:1000 image; the user is identified by "name"',
    "**Token:** see below. **Password**: required",
    "Le mot de passe est oublié. 密码已重置。",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "The token is valid for 24 hours; the API key is rotated every 90 days and the password is required.",
    "password is 9b2f6a54-0c1d-4e8f-a7b3-5d6c7e8f9a0b as a UUID, secret = getSecretFromVault2()",
    "npm_package_name and npm_lifecycle_event are set; hf_hub and r8_x too",
  ])("%s", (text) => {
    expect(cleanText(text)).toBe(text);
    const record = makeSpan({ name: text, attributes: { text, list: [text] }, input: textContent(text) });
    const result = redact(record);
    expect(result.redactions).toBeUndefined();
    expect(result.input).toMatchObject({ state: "captured", text });
  });

  test("a sample execution passes unchanged, but for hashes", () => {
    for (const record of sampleTrace()) {
      const result = redact(record);
      expect(result.redactions).toEqual(record.redactions);
      expect(result.attributes).toBe(record.attributes);
      expect(result.resource).toBe(record.resource);
    }
  });
});

describe("what is said about it", () => {
  test("a record counts by rule, content by itself", () => {
    const text = `${SHAPED.github} and ${SHAPED.github}`;
    const record = clean({ attributes: { text, password: "x" }, input: textContent(text) });
    expect(record.redactions).toEqual([
      { rule: "github-token", count: 2 },
      { rule: "password", count: 1 },
    ]);
    expect(record.input).toMatchObject({
      state: "redacted",
      reason: "secrets were replaced",
      text: "[redacted:github-token] and [redacted:github-token]",
      redactions: [{ rule: "github-token", count: 2 }],
      length: 51,
    });
  });

  test("content is hashed as it is kept, and equal contents alike", () => {
    const hashOf = (text: string) => clean({ input: textContent(text) }).input?.hash;
    expect(hashOf("hello")).toBe("5aa762ae383fbb727af3c7a36d4940a5b8c40a989452d2304fc958ff3f354e7a");
    expect(hashOf(`a ${SHAPED.github}`)).toBe(hashOf("a [redacted:github-token]"));
    const guessed = { ...textContent(`pin ${SHAPED.github}`), hash: "f".repeat(64) };
    expect(clean({ input: guessed }).input?.hash).toBe(hashOf("pin [redacted:github-token]"));
  });

  test("a beginning has no hash of its own", () => {
    const preview = { format: "text", state: "preview", text: "begin", length: 900 } as const;
    expect(clean({ input: preview }).input).toEqual(preview);
  });

  test("texts too large to scan are cut, and say so", () => {
    const long = `${"word ".repeat(220_000)}${SHAPED.github}`;
    const record = clean({ attributes: { long }, input: textContent(long) });
    expect((record.attributes.long as string).length).toBeLessThanOrEqual(1_048_576);
    expect(record.attributes.long).toMatch(/ …\[cut\]$/);
    expect(record.redactions).toEqual([{ rule: "too-large", count: 1 }]);
    expect(record.input).toMatchObject({ state: "truncated", reason: "too large to be scanned for secrets" });
    expect(record.input).not.toHaveProperty("hash");
    expect(redact(record)).toEqual(record);
  });

  test("a field beyond its size is withheld from there on", () => {
    const part = "word ".repeat(200);
    const limits = { textCharacters: 2_000, fieldCharacters: 2_500 };
    const record = clean({ attributes: { a: part, b: part, c: part }, input: textContent(part) }, { limits });
    expect(record.attributes).toEqual({ a: part, b: part, c: "[withheld]" });
    expect(record.redactions).toEqual([{ rule: "too-large", count: 1 }]);
    expect(record.input).toMatchObject({ state: "captured", text: part });
  });

  test("a field that takes too long is withheld, and says so", () => {
    let time = 0;
    const slow = {
      name: "slow",
      redact: (text: string) => {
        if (text.includes("slow")) time += 400;
        return undefined;
      },
    };
    const timed = createRedactor(compileRules({ functions: [slow] }), () => time);
    const record = timed(
      makeSpan({
        name: "slow",
        attributes: { a: "slow canary", b: "slow canary", c: "canary" },
        input: textContent("slow canary"),
        output: { format: "json", state: "captured", json: ["slow", "slow canary", "x"] },
      }),
    );
    expect(record.name).toBe("slow");
    expect(record.attributes).toEqual({ a: "slow canary", b: "[withheld]", "[withheld]": "[withheld]" });
    expect(record.redactions).toEqual([{ rule: "too-slow", count: 1 }]);
    expect(record.input).toMatchObject({ state: "captured" });
    expect(record.output).toEqual({
      format: "json",
      state: "not_captured",
      reason: "took too long to be scanned for secrets",
      redactions: [{ rule: "too-slow", count: 1 }],
    });
  });

  test("a pattern that looks to the end of the text for every match cannot hold the program up", () => {
    let time = 0;
    const patterns = [{ name: "own", pattern: "ab|.*,d" }];
    const timed = createRedactor(compileRules({ patterns }), () => time++);
    expect(timed(makeSpan({ name: "ab ".repeat(2_000) })).name).toBe("[withheld]");
  });

  test("a limit that is none is refused", () => {
    expect(() => compileRules({ limits: { fieldMs: 0 } })).toThrow(/"fieldMs"/);
  });

  test("a value that contains itself ends", () => {
    const loop: { [key: string]: unknown } = {};
    loop.a = loop;
    loop.b = loop;
    const record = redact(makeSpan({ attributes: loop as SpanRecord["attributes"] }));
    expect(record.redactions).toEqual([{ rule: "too-large", count: 1 }]);
    expect(JSON.stringify(record)).toContain("[withheld]");
  });

  test("a field that fails is withheld, the rest is there", () => {
    const attributes = Object.defineProperty({ password: "canary" }, "boom", {
      enumerable: true,
      get: () => {
        throw new Error("canary");
      },
    });
    const record = redact(makeSpan({ attributes, name: "kept" }));
    expect(record.name).toBe("kept");
    expect(record.attributes).toEqual({ "spanloom.pipeline.problems": ["redact:attributes"] });
    expect(redact(record)).toEqual(record);
  });
});

describe("the host's rules", () => {
  test("keys, whatever their case and separators", () => {
    const record = clean(
      {
        attributes: { customerSsn: "1", "user.customer-ssn": "2", text: '{"customer_ssn": "3"} x', ssn: "4" },
      },
      { keys: ["customer_ssn"] },
    );
    expect(record.attributes).toEqual({
      customerSsn: "[redacted:customer-ssn]",
      "user.customer-ssn": "[redacted:customer-ssn]",
      text: '{"customer_ssn": "[redacted:customer-ssn]"} x',
      ssn: "4",
    });
  });

  test("patterns, and never inside a replacement", () => {
    const options = { patterns: [{ name: "red", pattern: /red/ }] };
    const record = clean({ name: `red ${SHAPED.github} colored` }, options);
    expect(record.name).toBe("[redacted:red] [redacted:github-token] colo[redacted:red]");
    expect(createRedactor(compileRules(options))(record)).toEqual(record);
  });

  test("a rule that names nothing is refused", () => {
    expect(() => compileRules({ keys: ["--"] })).toThrow(/names nothing/);
    expect(() => compileRules({ patterns: [{ name: "a b", pattern: /x/ }] })).toThrow(/cannot be used/);
  });
});

test("cleaning twice is cleaning once", () => {
  const secrets = [...Object.values(SHAPED), ...IN_CONTEXT.map(([text]) => text)];
  const glue = [
    "",
    " ",
    "\n",
    "\\n",
    '"',
    ":",
    "=",
    ";",
    "&",
    "{",
    "}",
    "password=",
    "token: ",
    "://",
    "@",
    "Cookie: ",
    "[redacted:",
    "]",
  ];
  const piece = fc.oneof(fc.constantFrom(...secrets), fc.constantFrom(...glue), fc.string({ maxLength: 8 }));
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, fc.json(), (value, json) => {
      const once = redact(fullRecord(value + json));
      expect(redact(once)).toEqual(once);
      const again = redact(
        makeSpan({ name: value, attributes: { [value]: value, json: JSON.stringify({ value }) } }),
      );
      expect(redact(again)).toEqual(again);
    }),
    { numRuns: 500 },
  );
});
