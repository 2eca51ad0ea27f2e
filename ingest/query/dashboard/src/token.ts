/** The reading token: handed over once in the fragment, which browsers never send, then kept for this tab alone. */

import { useSyncExternalStore } from "react";

const KEY = "firsthop.token";
const listeners = new Set<() => void>();

/** Moves a `#token=` from the address bar into the tab's session storage, so that it is neither seen nor shared. */
export function takeTokenFromAddress(): void {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (token === null) return;
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  setToken(token);
}

/** Keeps the token for this tab; an empty one forgets it. */
export function setToken(token: string): void {
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

/** The token, or null when there is none. */
export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useToken(): string | null {
  return useSyncExternalStore(subscribe, token);
}
