/** Results, held against the protocol's types. */

import { invalidMessage } from "./errors.js";
import type { Methods } from "./methods.js";
import type { JsonObject } from "./protocol.js";
import { RESULTS } from "./shapes.js";

/** Returns the result as what its method answers with; fails with `invalid_message` where it is not that. */
export function checked<Name extends keyof Methods>(method: Name, result: JsonObject): Methods[Name]["result"] {
  const wrong = RESULTS[method](result);
  if (wrong !== undefined) throw invalidMessage(`The result of ${method} is not valid at \`result${wrong}\`.`);
  return result;
}
