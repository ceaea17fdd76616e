// ClickHouse's own engine behind its HTTP protocol, as far as `@clickhouse/client` speaks it: queries with parameters and
// settings, inserts in a body that may be compressed, errors with their code. One query at a time.
// Usage: node serve.test-support.mjs <folder of the chdb package> <data folder> <port, or 0>; prints the port when it listens, on loopback.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const [engine, data, port] = process.argv.slice(2);
const { Session } = createRequire(join(engine, "package.json"))("chdb");
const session = new Session(data);
let turn = Promise.resolve();

const server = createServer({ maxHeaderSize: 2 ** 20 }, (request, response) => {
  const bytes = [];
  request.on("data", (chunk) => bytes.push(chunk));
  request.on("end", () => {
    turn = turn.then(() => answer(request, Buffer.concat(bytes), response));
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log(server.address().port));

async function answer(request, body, response) {
  const url = new URL(request.url, "http://loopback");
  if (url.pathname === "/ping") return response.end("Ok.\n");
  try {
    const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString();
    const given = url.searchParams.get("query");
    const { query, format } = splitFormat(given === null ? text : text === "" ? given : `${given}\n${text}`);
    const { params, settings } = read(url.searchParams, query);
    for (const [name, value] of settings) session.query(`SET ${name} = '${value.replace(/['\\]/g, "\\$&")}'`);
    const result =
      Object.keys(params).length > 0
        ? await session.queryBindAsync(query, params, { format })
        : await session.queryAsync(query, { format });
    response.setHeader("X-ClickHouse-Summary", "{}");
    response.end(Buffer.from(result.bytes()));
  } catch (error) {
    const [, code = "1000"] = /Code: (\d+)/.exec(error.message) ?? [];
    response.writeHead(500, { "X-ClickHouse-Exception-Code": String(error.clickhouseCode ?? code) });
    response.end(`${error.message.replace(/^Query failed: /, "")}\n`);
  }
}

/** `param_x` are the query's parameters; names of settings are lower case. */
function read(search, query) {
  const params = {};
  const settings = [];
  const own = ["query", "query_id", "database", "session_id", "role"];
  for (const [name, value] of search) {
    if (name.startsWith("param_"))
      params[name.slice(6)] = readParam(value, query.includes(`{${name.slice(6)}:Array(`));
    else if (!own.includes(name) && /^[a-z_0-9]+$/.test(name)) settings.push([name, value]);
  }
  return { params, settings };
}

/** The engine wants values, the protocol has them as text: escaped, or as a list of numbers or quoted strings. */
function readParam(value, isList) {
  if (!isList) return unescaped(value);
  const items = value.slice(1, -1).match(/'(?:[^'\\]|\\.)*'|[^,]+/gs) ?? [];
  return items.map((item) => (item.startsWith("'") ? unescaped(item.slice(1, -1)) : Number(item)));
}

const ESCAPES = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", 0: "\0" };

function unescaped(value) {
  return value.replace(/\\(.)/gs, (_, char) => ESCAPES[char] ?? char);
}

/** The engine takes the format of an answer beside the query, that of inserted rows inside it. */
function splitFormat(query) {
  const asks = /^\s*(SELECT|WITH|SHOW|DESCRIBE|EXISTS|EXPLAIN)\b/i.test(query);
  const found = asks ? /\s*\bFORMAT\s+(\w+)\s*;?\s*$/i.exec(query) : undefined;
  return found ? { query: query.slice(0, found.index), format: found[1] } : { query, format: "TabSeparated" };
}
