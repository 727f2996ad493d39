/** The providers that were configured through a client, so that they can be again. */

import { isObject } from "./json.js";
import type { JsonObject } from "./protocol.js";

/** A call that makes a configuration again. */
export interface Repeat {
  readonly method: "providers.configure" | "providers.set_active";
  readonly params: JsonObject;
}

interface Known {
  readonly order: number;
  readonly params: JsonObject | undefined;
}

/**
 * What calls that succeeded have made of the configurations. Replies come in any order, so `order` says in which calls
 * were sent.
 */
export class Configurations {
  readonly #configured = new Map<unknown, Known>();
  #active: Known = { order: 0, params: undefined };

  /** Takes note of a call and its result. */
  succeeded(order: number, method: string, params: object, result: JsonObject): void {
    const { config, provider } = params as JsonObject;
    if (method === "providers.configure" && isObject(config)) this.#configure(order, config);
    if (method === "providers.set_active" && isObject(config)) this.#configure(order, config);
    if (method === "providers.set_active") this.#activate(order, isObject(config) ? name(config) : provider);
    if (method === "providers.remove" && result["removed"] === true) this.#remove(order, provider);
  }

  /** Returns the calls that make them all again, in the order in which they are to be sent. */
  repeats(): Repeat[] {
    const known = [...this.#configured.values()].sort((one, other) => one.order - other.order);
    const repeats = known.flatMap(({ order, params }): Repeat[] =>
      params === undefined ? [] : [{ method: this.#method(order), params }],
    );
    const { order, params } = this.#active;
    const activated = params === undefined || known.some((configured) => configured.order === order);
    return activated ? repeats : [...repeats, { method: "providers.set_active", params }];
  }

  /** One call may have both configured and activated a provider; then one call does so again. */
  #method(order: number): Repeat["method"] {
    return order === this.#active.order ? "providers.set_active" : "providers.configure";
  }

  #configure(order: number, config: JsonObject): void {
    this.#know(name(config), { order, params: { config } });
  }

  #remove(order: number, provider: unknown): void {
    this.#know(provider, { order, params: undefined });
    if (this.#active.params?.["provider"] === provider && order > this.#active.order) {
      this.#active = { order, params: undefined };
    }
  }

  #know(id: unknown, known: Known): void {
    if (known.order > (this.#configured.get(id)?.order ?? 0)) this.#configured.set(id, known);
  }

  #activate(order: number, provider: unknown): void {
    if (order > this.#active.order) this.#active = { order, params: { provider } };
  }
}

function name(config: JsonObject): unknown {
  return config["id"] ?? config["provider"];
}
