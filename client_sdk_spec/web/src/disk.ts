/** The queue's disk: IndexedDB, shared by all pages of the origin. Every method rejects when the browser refuses. */

import type { Body, Sealed } from "./batch.ts";
import type { Lost } from "./queue.ts";

/** Apart, so that what is held can be weighed without reading it all. */
const BATCHES = "batches";
const BODIES = "bodies";

type Choose = (held: readonly Sealed[]) => Lost[];

const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const committed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });

export class Disk {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
    // Another page wants it gone, or of a newer version.
    database.onversionchange = () => database.close();
  }

  static async open(name: string): Promise<Disk> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(BATCHES, { keyPath: "id" });
      request.result.createObjectStore(BODIES);
    };
    return new Disk(await result(request));
  }

  /**
   * Adds a batch, if one is given, and removes what the function chooses of what is held then; returns it. No two pages
   * choose at once.
   */
  async put(choose: Choose, added?: Body): Promise<Lost[]> {
    const transaction = this.#database.transaction([BATCHES, BODIES], "readwrite");
    const batches = transaction.objectStore(BATCHES);
    if (added) {
      const { body, ...batch } = added;
      batches.put(batch);
      transaction.objectStore(BODIES).put(body, batch.id);
    }
    const lost = choose(await result<Sealed[]>(batches.getAll()));
    for (const [{ id }] of lost) {
      batches.delete(id);
      transaction.objectStore(BODIES).delete(id);
    }
    await committed(transaction);
    return lost;
  }

  /** @param but ids of batches that are not wanted */
  async oldest(but: ReadonlySet<string>): Promise<Body | undefined> {
    const transaction = this.#database.transaction([BATCHES, BODIES]);
    const held = await result<Sealed[]>(transaction.objectStore(BATCHES).getAll());
    const [batch] = held.filter(({ id }) => !but.has(id)).sort((a, b) => a.sealedMs - b.sealedMs);
    if (!batch) return undefined;
    return { ...batch, body: await result(transaction.objectStore(BODIES).get(batch.id)) };
  }

  async remove(id: string): Promise<void> {
    const transaction = this.#database.transaction([BATCHES, BODIES], "readwrite");
    transaction.objectStore(BATCHES).delete(id);
    transaction.objectStore(BODIES).delete(id);
    await committed(transaction);
  }

  /** Everything that was held; there is no database then. */
  async clear(): Promise<Sealed[]> {
    const transaction = this.#database.transaction([BATCHES, BODIES], "readwrite");
    const held = await result<Sealed[]>(transaction.objectStore(BATCHES).getAll());
    transaction.objectStore(BATCHES).clear();
    transaction.objectStore(BODIES).clear();
    await committed(transaction);
    this.#database.close();
    indexedDB.deleteDatabase(this.#database.name);
    return held;
  }
}
