/** JSON in which integers beyond the range of a double stay exact: as texts that begin with NUL. */

const BEYOND_DOUBLES = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const MARKED = /"\\u0000(-?\d+)"/g;

export type JsonObject = { [member: string]: unknown };

export function decode(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as unknown;
  const marked = text.replace(BEYOND_DOUBLES, (token) => (token.startsWith('"') ? token : `"\\u0000${token}"`));
  return JSON.parse(marked) as unknown;
}

export function encode(value: unknown): string {
  return JSON.stringify(value).replace(MARKED, "$1");
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
