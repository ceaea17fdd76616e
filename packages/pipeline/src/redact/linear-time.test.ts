import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { compileRules } from "./compile-rules.ts";
import { createRedactor } from "./redact-span.ts";

/**
 * Long texts, made to be scanned again from every position. In linear time the whole list takes a few
 * seconds; a single quadratic pattern needs 10^10 steps and runs into the time-out.
 */
const LENGTH = 100_000;
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
  "@",
  "a@",
  "a@a",
  "a@a.",
  "a.@a-.a",
  "%40",
  "+",
  "+1",
  "+1 ",
  "+(1)",
  "1 ",
  "1-",
  "4111-",
  "4111 1111 1111 111 ",
  "(415) 555-",
  "415-555-",
  "123-45-",
  "DE89",
  "DE89 ",
  "DE89 3704 ",
  "phone:",
  "phone: 1 ",
  "tel:1",
  "ssn ",
  "ssn: 123-45-",
  "password is ",
  "token -> ",
  "token is a1a1",
  "token a1a1a1a1a1a1a1a1",
  "[token:k1:",
  "[token:k1:0123456789abcdef]",
  "CN-",
  "aab",
];

test.each(REPEATED)("%j repeated", (piece) => {
  const redact = createRedactor(
    compileRules({
      keys: ["customer_ssn"],
      personalData: true,
      patterns: [
        { name: "customer", pattern: "CN-\\d{8}" },
        // The classic that a backtracking engine never ends.
        { name: "nested", pattern: "(a+)+b|(a|a)+c" },
      ],
      // The machine may be busy: what is measured here is the work, which a time-out of the test bounds.
      limits: { fieldMs: 1e9 },
    }),
  );
  const text = piece.repeat(Math.ceil(LENGTH / piece.length)).slice(0, LENGTH);
  for (const hostile of [text, `${text}@`, `token="${text}`, `eyJ${text}`, `://a:${text}`]) {
    const record = redact(makeSpan({ attributes: { hostile }, input: textContent(hostile) }));
    expect(record.attributes.hostile).toBeTypeOf("string");
  }
});
