/** The one error that calls fail with. */

import { ERRORS } from "./methods.js";
import type { Category, ErrorData, ErrorObject, ErrorType, Message } from "./protocol.js";

/** What calls of a client that was closed fail with. */
export const CLOSED = "The sidecar was closed.";

/** What went wrong. Switch on `type`; for types that are not known, `category` and `retryable` say enough. */
export class SidecarError extends Error {
  override readonly name = "SidecarError";
  readonly code: number;
  /** All that is known of the error. */
  readonly data: ErrorData;

  constructor(error: ErrorObject, options?: ErrorOptions) {
    super(error.message, options);
    this.code = error.code;
    this.data = error.data;
  }

  get type(): ErrorType {
    return this.data.type;
  }

  get category(): Category {
    return this.data.category;
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return this.data.retryable;
  }

  /** When to come back, where that is known. */
  get retryAfterMs(): number | undefined {
    return this.data.retry_after_ms ?? undefined;
  }

  /** The answer as far as it came, where the error ended one. */
  get partial(): Message | undefined {
    return this.data.partial ?? undefined;
  }
}

function own(type: keyof typeof ERRORS, message: string, options?: ErrorOptions): SidecarError {
  const { code, category, retryable } = ERRORS[type];
  return new SidecarError({ code, message, data: { type, category, retryable } }, options);
}

/** There is no executable. */
export function sidecarNotFound(message: string, cause?: unknown): SidecarError {
  return own("sidecar_not_found", message, { cause });
}

/** The sidecar has gone, or was closed. */
export function connectionClosed(message: string): SidecarError {
  return own("connection_closed", message);
}

/** What the sidecar wrote is not what the protocol says. */
export function invalidMessage(message: string): SidecarError {
  return own("invalid_message", message);
}

/** The sidecar speaks another version. */
export function unsupportedVersion(message: string): SidecarError {
  return own("unsupported_protocol_version", message);
}

/** The caller has cancelled. */
export function requestCancelled(message: string, cause?: unknown): SidecarError {
  return own("request_cancelled", message, { cause });
}

/** The host has left too much of a stream unread. */
export function clientStalled(unread: number): SidecarError {
  return own("client_stalled", `The stream was cancelled: more than ${unread} of its events were left unread.`);
}
