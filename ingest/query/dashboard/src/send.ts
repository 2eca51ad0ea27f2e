/** Calls that change something, or that carry a body. */

import { call } from "./api.ts";

/**
 * The answer to one call.
 * @throws ApiError when it was refused, or there is none.
 */
export async function send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return call<T>(path, {
    method,
    ...(body !== undefined && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}
