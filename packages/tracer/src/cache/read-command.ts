/** What one reading command will say about the keys it asked for. */
export interface CacheRead {
  /** The keyspace of each key or field asked for; `undefined` for one that no pattern names. */
  keyspaces: (string | undefined)[];
  /** For each of them whether it was there, by the shape of the reply alone. `undefined` where the reply does not say. */
  found(reply: unknown): boolean[] | undefined;
}

/** A command as ioredis and iovalkey queue it. */
export interface CacheCommand {
  readonly name: string;
  readonly args: readonly unknown[];
}

type KeyspaceOf = (key: string) => string | undefined;

/** `undefined` for commands that do not read by key, and for keys that belong to no keyspace. */
export function readCommand({ name, args }: CacheCommand, keyspaceOf: KeyspaceOf): CacheRead | undefined {
  const read = shapeOf(name.toLowerCase(), args, (key) => keyspaceOf(textOf(key)));
  return read?.keyspaces.some((keyspace) => keyspace !== undefined) ? read : undefined;
}

function shapeOf(
  name: string,
  args: readonly unknown[],
  keyspaceOf: (key: unknown) => string | undefined,
): CacheRead | undefined {
  switch (name) {
    case "get":
    case "getex":
    case "getdel":
    case "hget":
      return { keyspaces: [keyspaceOf(args[0])], found: (reply) => [isThere(reply)] };
    case "hexists":
      return { keyspaces: [keyspaceOf(args[0])], found: (reply) => [Number(reply) === 1] };
    case "hgetall":
      return { keyspaces: [keyspaceOf(args[0])], found: (reply) => [!isEmpty(reply)] };
    case "mget":
      return { keyspaces: args.map(keyspaceOf), found: eachThere };
    case "hmget": {
      const keyspace = keyspaceOf(args[0]);
      return { keyspaces: args.slice(1).map(() => keyspace), found: eachThere };
    }
    case "exists":
      return existsOf(args.map(keyspaceOf));
    default:
      return undefined;
  }
}

/** `EXISTS` says only how many: with keys of several families that is an answer where all or none are there. */
function existsOf(keyspaces: (string | undefined)[]): CacheRead {
  const mixed = new Set(keyspaces).size > 1;
  return {
    keyspaces,
    found: (reply) => {
      const count = Number(reply);
      if (mixed && count !== 0 && count !== keyspaces.length) return undefined;
      return keyspaces.map((_, index) => index < count);
    },
  };
}

function eachThere(reply: unknown): boolean[] | undefined {
  return Array.isArray(reply) ? reply.map(isThere) : undefined;
}

function isThere(reply: unknown): boolean {
  return reply !== null && reply !== undefined;
}

/** A hash comes as a list of pairs, or in the protocol's third version as a map or an object. */
function isEmpty(reply: unknown): boolean {
  if (Array.isArray(reply)) return reply.length === 0;
  if (reply instanceof Map) return reply.size === 0;
  return typeof reply !== "object" || reply === null || Object.keys(reply).length === 0;
}

function textOf(key: unknown): string {
  return Buffer.isBuffer(key) ? key.toString("latin1") : String(key);
}
