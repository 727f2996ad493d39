/** Checks of JSON against the protocol's types: small functions, put together. */

import { isObject } from "./json.js";

/** Returns where in the value something is wrong, such as `.models[2].id`, or undefined where nothing is. */
export type Check = (value: unknown) => string | undefined;

const HERE = "";

export const string: Check = (value) => (typeof value === "string" ? undefined : HERE);
export const boolean: Check = (value) => (typeof value === "boolean" ? undefined : HERE);
export const integer: Check = (value) => (Number.isSafeInteger(value) ? undefined : HERE);
export const number: Check = (value) => (typeof value === "number" ? undefined : HERE);
export const object: Check = (value) => (isObject(value) ? undefined : HERE);

/** The member may be left out. */
export function optional(check: Check): Check {
  return (value) => (value === undefined ? undefined : check(value));
}

/** The member may be left out or null. */
export function nullable(check: Check): Check {
  return (value) => (value === undefined || value === null ? undefined : check(value));
}

export function oneOf(...texts: string[]): Check {
  const known = new Set<unknown>(texts);
  return (value) => (known.has(value) ? undefined : HERE);
}

export function either(...checks: Check[]): Check {
  return (value) => (checks.some((check) => check(value) === undefined) ? undefined : HERE);
}

export function list(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return HERE;
    for (let index = 0; index < value.length; index += 1) {
      const wrong = check(value[index]);
      if (wrong !== undefined) return `[${index}]${wrong}`;
    }
    return undefined;
  };
}

export function map(check: Check): Check {
  return (value) => {
    if (!isObject(value)) return HERE;
    for (const [name, inner] of Object.entries(value)) {
      const wrong = check(inner);
      if (wrong !== undefined) return `.${name}${wrong}`;
    }
    return undefined;
  };
}

/** An object with at least these members. */
export function record(members: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(members);
  return (value) => {
    if (!isObject(value)) return HERE;
    for (const [name, check] of checks) {
      const wrong = check(value[name]);
      if (wrong !== undefined) return `.${name}${wrong}`;
    }
    return undefined;
  };
}

/** An object that is the arm which its tag names; where the union is open, other tags may come. */
export function union(tag: string, growth: "open" | "closed", members: Readonly<Record<string, Check>>): Check {
  const arms = new Map<unknown, Check>(Object.entries(members));
  const otherwise = growth === "open" ? string : oneOf();
  return (value) => {
    if (!isObject(value)) return HERE;
    const arm = arms.get(value[tag]);
    if (arm !== undefined) return arm(value);
    return otherwise(value[tag]) === undefined ? undefined : `.${tag}`;
  };
}
