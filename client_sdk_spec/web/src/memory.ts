/** What outlives a page: `localStorage`, or nothing where the user has not agreed or the browser refuses. */

export class Memory {
  readonly #prefix: string;
  #allowed: boolean;

  /** @param app tells apps on one origin apart */
  constructor(app: string, allowed: boolean) {
    this.#prefix = `firsthop:${app}:`;
    this.#allowed = allowed;
  }

  /** What was written under the name; nothing that cannot be read. */
  read<T>(name: string): T | undefined {
    if (!this.#allowed) return undefined;
    try {
      return (JSON.parse(localStorage.getItem(this.#prefix + name) ?? "null") as T | null) ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(name: string, value: unknown): void {
    if (!this.#allowed) return;
    try {
      localStorage.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      // Full or refused: it holds for this page.
    }
  }

  /** Forgets everything that was written, here and by earlier pages, when it is no longer allowed. */
  allow(allowed: boolean): void {
    this.#allowed = allowed;
    if (allowed) return;
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith(this.#prefix)) localStorage.removeItem(key);
    } catch {
      // Refused: then nothing was written.
    }
  }
}
