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

  remove(name: string): void {
    try {
      localStorage.removeItem(this.#prefix + name);
    } catch {
      // Refused: then nothing was written.
    }
  }

  /** What is written under names that begin so. */
  names(beginning: string): string[] {
    const first = this.#prefix + beginning;
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(first));
      return this.#allowed ? keys.map((key) => key.slice(this.#prefix.length)) : [];
    } catch {
      return [];
    }
  }

  /** Forgets everything that was written, here and by earlier pages, when it is no longer allowed. */
  allow(allowed: boolean): void {
    if (!allowed) for (const name of this.names("")) this.remove(name);
    this.#allowed = allowed;
  }
}
