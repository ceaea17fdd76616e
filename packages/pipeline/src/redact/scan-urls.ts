import { isReplaced, type Tally } from "./tally.ts";

/** User and password before a host; a password may hold an `@`. */
const CREDENTIALS = /:\/\/([^\s:/?#@"'<>\\[]{0,200}):([^\s/"'<>\\]{1,2000})@/g;
/** Databases' passwords are often written with a `/` that ought to be encoded. */
const DATABASE =
  /:\/\/(?<=\b(?:postgres|mysql|mariadb|mongodb|rediss?|valkey|amqps?|clickhouse|mssql|sqlserver)(?:ql)?(?:\+\w{1,20})?:\/\/)([^\s:/?#@"'<>\\[]{0,200}):([^\s@"'<>\\]{1,300})@/g;
/** A lone user that is itself a token. */
const LONE_TOKEN = /:\/\/([\w-]{20,})@/g;
/** What none of them goes beyond. */
const UNBROKEN = /[^\s"'<>\\]*/y;

/** The text with passwords and tokens in URLs replaced; user and host stay. */
export function scanUrls(text: string, tally: Tally): string {
  if (!mayHoldCredentials(text)) return text;
  const hide = (match: string, _user: string, password: string): string => {
    if (isReplaced(password)) return match;
    return `${match.slice(0, -1 - password.length)}${tally.replace("url-password", password)}@`;
  };
  return text
    .replace(CREDENTIALS, hide)
    .replace(DATABASE, hide)
    .replace(LONE_TOKEN, (match, token: string) =>
      /\d/.test(token) ? `://${tally.replace("url-token", token)}@` : match,
    );
}

/** An `@` behind a `://`, without a break between the two. Each stretch is read once. */
function mayHoldCredentials(text: string): boolean {
  if (!text.includes("@")) return false;
  for (let at = text.indexOf("://"); at !== -1; at = text.indexOf("://", UNBROKEN.lastIndex)) {
    UNBROKEN.lastIndex = at + 3;
    UNBROKEN.test(text);
    if (text.slice(at, UNBROKEN.lastIndex).includes("@")) return true;
  }
  return false;
}
