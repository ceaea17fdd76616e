import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { compileRules } from "./compile-rules.ts";
import { createRedactor } from "./redact-span.ts";

/**
 * Long texts, made to be scanned again from every position. In linear time the whole list takes a few
 * seconds; a single quadratic pattern needs 10^11 steps and runs into the time-out.
 */
const LENGTH = 300_000;
const REPEATED = [
  "a",
  "1",
  "-",
  "\\",
  '"',
  "{",
  "[",
  '{"',
  '[["a',
  '{"a":',
  "=",
  ":",
  "://",
  "://a:",
  "://a@",
  "postgres://a:",
  "redis://a:b",
  "-----BEGIN PRIVATE KEY-----",
  "-----BEGIN PRIVATE KEY-----aaaaaaaaaaaaaaa",
  "-----BEGIN ",
  "eyJ",
  "eyJa-",
  "eyJaaaaaaaaaa.",
  ".eyJaaaaaaaaa.a",
  "sk-",
  "sk-a",
  "sk-ant-",
  "SG.",
  "SG.aaaaaaaaaaaaaaaaaaaaa",
  ":AA",
  "hooks.slack.com/",
  "AKIA",
  "ghp_",
  "token",
  "token:",
  "token=",
  "token ",
  'token="',
  'token=\\"',
  '"token":"',
  '\\"token\\":\\"',
  '"token",',
  '["token","',
  '"token","value":',
  "password=a",
  "host=a password=a,",
  "cookie:",
  "cookie: a",
  "cookie: =",
  "authorization: bearer ",
  "bearer ",
  "bearer a",
  "basic ",
  "basic YTpi",
  "key-",
  "key.",
  "api_key: ",
  "--token ",
  "[redacted:",
  "\ntoken",
];

test.each(REPEATED)("%j repeated", (piece) => {
  const redact = createRedactor(compileRules({ keys: ["customer_ssn"] }));
  const text = piece.repeat(Math.ceil(LENGTH / piece.length)).slice(0, LENGTH);
  for (const hostile of [text, `${text}@`, `token="${text}`, `eyJ${text}`, `://a:${text}`]) {
    const record = redact(makeSpan({ attributes: { hostile }, input: textContent(hostile) }));
    expect(record.attributes.hostile).toBeTypeOf("string");
  }
});
