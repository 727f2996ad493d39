/** Patterns of messages; `protocol/conformance/README.md` says what they match. */

import { encode, isObject, type JsonObject } from "./json.js";

export type Bound = Map<string, unknown>;

/** A message is not what the pattern says. */
export class Mismatch extends Error {
  constructor(where: string, expected: string, value: unknown) {
    super(`${where}: expected ${expected.slice(0, 300)}, got ${(encode(value ?? null) ?? "nothing").slice(0, 1_000)}`);
  }
}

type Operator = (argument: unknown, value: unknown, bound: Bound, where: string) => void;

const OPERATORS: Readonly<Record<string, Operator>> = {
  $any: () => undefined,
  $bind: (name, value, bound) => void bound.set(String(name), value),
  $ref: (name, value, bound, where) => match(bound.get(String(name)), value, bound, where),
  $repeat: (repeat, value, _, where) => expect(value === repeated(repeat), where, "the repeated text", value),
  $exactly: (wanted, value, bound, where) => {
    match(wanted, value, bound, where);
    const members = (object: unknown): string => Object.keys(object as JsonObject).sort().join(", ");
    expect(members(value) === members(wanted), where, `no members but ${members(wanted)}`, value);
  },
  $contains: (wanted, value, bound, where) => {
    const found =
      typeof value === "string"
        ? value.includes(String(wanted))
        : Array.isArray(value) && value.some((element) => matches(wanted, element, bound));
    expect(found, where, `what contains ${encode(wanted)}`, value);
  },
  $min: (least, value, _, where) => expect(Number(value) >= Number(least), where, `at least ${least}`, value),
  $max: (most, value, _, where) => expect(Number(value) <= Number(most), where, `at most ${most}`, value),
};

/** Throws a `Mismatch` unless the value has all that the pattern writes; binds names. */
export function match(pattern: unknown, value: unknown, bound: Bound, where = "message"): void {
  const [operator, argument] = operation(pattern);
  if (operator !== undefined) operator(argument, value, bound, where);
  else if (Array.isArray(pattern)) matchList(pattern, value, bound, where);
  else if (isObject(pattern)) matchMembers(pattern, value, bound, where);
  else expect(pattern === value, where, encode(pattern), value);
}

/** Tells whether the value matches; names are bound only then. */
export function matches(pattern: unknown, value: unknown, bound: Bound): boolean {
  const trial = new Map(bound);
  try {
    match(pattern, value, trial);
  } catch (error) {
    if (error instanceof Mismatch) return false;
    throw error;
  }
  for (const [name, found] of trial) bound.set(name, found);
  return true;
}

/** Returns what a template of a message stands for. */
export function expand(template: unknown, bound: Bound): unknown {
  if (Array.isArray(template)) return template.map((element) => expand(element, bound));
  if (!isObject(template)) return template;
  const [name] = Object.keys(template);
  if (name === "$ref") return bound.get(String(template["$ref"]));
  if (name === "$repeat") return repeated(template["$repeat"]);
  return Object.fromEntries(Object.entries(template).map(([member, inner]) => [member, expand(inner, bound)]));
}

function operation(pattern: unknown): [Operator | undefined, unknown] {
  if (!isObject(pattern)) return [undefined, undefined];
  const [first, ...others] = Object.entries(pattern);
  return first !== undefined && others.length === 0 ? [OPERATORS[first[0]], first[1]] : [undefined, undefined];
}

function matchList(pattern: unknown[], value: unknown, bound: Bound, where: string): void {
  if (!Array.isArray(value) || value.length !== pattern.length) {
    throw new Mismatch(where, `${pattern.length} elements`, value);
  }
  for (const [index, inner] of pattern.entries()) match(inner, value[index], bound, `${where}[${index}]`);
}

function matchMembers(pattern: JsonObject, value: unknown, bound: Bound, where: string): void {
  if (!isObject(value)) throw new Mismatch(where, "an object", value);
  for (const [name, inner] of Object.entries(pattern)) {
    const absent = isObject(inner) && inner["$absent"] === true;
    expect(name in value !== absent, `${where}.${name}`, absent ? "nothing" : "a member", value[name]);
    if (!absent) match(inner, value[name], bound, `${where}.${name}`);
  }
}

function expect(condition: boolean, where: string, expected: string, value: unknown): void {
  if (!condition) throw new Mismatch(where, expected, value);
}

function repeated(repeat: unknown): string {
  const [text, count] = repeat as [string, number];
  return text.repeat(count);
}
