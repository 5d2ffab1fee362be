// @ts-check
/** Files of letters that are on their way, kept by the browser until the server has them: IndexedDB holds them as they are. */
import { config } from "./page.js";

const [DATABASE, TABLE] = ["otklik", "files"];
// A tab that was closed with letters in it left files nobody will send.
const KEPT = 24 * 3_600_000;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @template T @param {IDBTransactionMode} mode @param {(table: IDBObjectStore) => IDBRequest<T>} run @returns {Promise<T>} */
async function within(mode, run) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE, { keyPath: "key" });
  const database = await done(opening);
  try {
    return await done(run(database.transaction(TABLE, mode).objectStore(TABLE)));
  } finally {
    database.close();
  }
}

/** @param {string} key of the letter @param {File[]} files */
export const keep = (key, files) => within("readwrite", (table) => table.put({ key, files, staff: config.staff, at: Date.now() }));

/** The letter's files, none when they are not here. @param {string} key @returns {Promise<File[]>} */
export const read = async (key) => (await within("readonly", (table) => table.get(key)))?.files || [];

/** @param {string} key */
export const drop = (key) => within("readwrite", (table) => table.delete(key));

export const clear = () => within("readwrite", (table) => table.clear()).catch(() => {});

/** Files of another person, or of letters that no tab can have any more, are removed. @param {string[]} keys letters of this tab */
export async function tidy(keys) {
  const kept = await within("readonly", (table) => table.getAll());
  for (const one of kept) {
    const isStale = one.staff !== config.staff || (Date.now() - one.at > KEPT && !keys.includes(one.key));
    if (isStale) await drop(one.key);
  }
}
