// Makes the shop work offline: visited pages, and the files they need. Additions to the cart are
// stored and sent when the network is back, under the key of their first attempt, so that each
// counts once however often it is sent.
//
// Only public responses are cached: nothing with `no-store`, and so nothing personal. The list
// SHELL is inserted before this file: the files to cache at once, which change with every build.

const PAGES = "pages";
const FILES = "files";
const MOST = { [PAGES]: 60, [FILES]: 300 };

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("sync", (event) => event.waitUntil(sendAdditions()));
addEventListener("message", (event) => {
  if (event.data === "take over") return skipWaiting();
  event.waitUntil(sendAdditions().catch(() => {}));
});
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname.endsWith("/cart/items")) {
    if (!pathname.startsWith("/api/") && isOwn(request)) event.respondWith(add(request));
  } else if (request.method === "GET") {
    if (/^\/(assets|icons|media)\//.test(pathname)) event.respondWith(file(event));
    else if (request.headers.get("accept")?.includes("text/html")) event.respondWith(page(event));
  }
});

async function install() {
  const [pages, files] = await Promise.all([caches.open(PAGES), caches.open(FILES)]);
  const isFile = (path) => path.startsWith("/assets/");
  await Promise.all([
    files.addAll(SHELL.filter(isFile)),
    pages.addAll(SHELL.filter((path) => !isFile(path)).map((path) => new Request(path, { headers: { accept: "text/html" }, cache: "no-cache" }))),
  ]);
}

async function activate() {
  await registration.navigationPreload?.enable();
  await clients.claim();
}

/** Returns the page from the network; offline, the last cached version, or a page that says so. */
async function page(event) {
  const { request } = event;
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(request));
    if (isPublic(answer)) event.waitUntil(keep(PAGES, request, answer.clone()));
    return answer;
  } catch {
    const pages = await caches.open(PAGES);
    return (await pages.match(request.url)) ?? (await pages.match(request.url, { ignoreSearch: true })) ?? (await pages.match(inLanguageOf(request.url, "/offline"))) ?? Response.error();
  }
}

/** Returns a file from the cache if it is there: a changed file has another name. */
async function file(event) {
  const files = await caches.open(FILES);
  const known = await files.match(event.request.url);
  if (known) return known;
  const answer = await fetch(event.request);
  if (isPublic(answer)) event.waitUntil(keep(FILES, event.request, answer.clone()));
  return answer;
}

function isPublic(answer) {
  return answer.status === 200 && !answer.redirected && /\bpublic\b/.test(answer.headers.get("cache-control"));
}

/** Stores a response in a cache and deletes the oldest ones beyond the maximum. */
async function keep(name, request, answer) {
  const cache = await caches.open(name);
  await cache.delete(request.url);
  await cache.put(request.url, answer);
  const shell = new Set(SHELL.map((path) => location.origin + path));
  const others = (await cache.keys()).filter(({ url }) => !shell.has(url));
  await Promise.all(others.slice(0, -MOST[name]).map((old) => cache.delete(old)));
}

/**
 * Returns true for a request from a page of the shop. A form sent by another site must reach the
 * shop unchanged: forwarded from here, it would look like the shop's own.
 */
function isOwn({ referrer }) {
  return referrer.startsWith(`${location.origin}/`);
}

async function add(request) {
  const addition = { key: crypto.randomUUID(), url: request.url, body: await request.text() };
  try {
    return await send(addition, request.redirect);
  } catch {
    await inAdditions("readwrite", (additions) => additions.put(addition));
    await registration.sync?.register("additions").catch(() => {});
    return (await caches.match(inLanguageOf(request.url, "/offline/kept"))) ?? Response.error();
  }
}

/**
 * Sends the waiting additions one after the other, so that the first can create the cart that the
 * next ones use. Only one caller at a time. Fails while an addition still waits.
 */
function sendAdditions() {
  return navigator.locks.request("additions", async () => {
    const waiting = await inAdditions("readonly", (additions) => additions.getAll());
    let [sent, refused] = [0, 0];
    for (const addition of waiting) {
      const answer = await send(addition, "manual").catch(() => null);
      if (!answer || answer.status >= 500) break;
      await inAdditions("readwrite", (additions) => additions.delete(addition.key));
      if (answer.type === "opaqueredirect") sent += 1;
      else refused += 1;
    }
    const dealtWith = sent + refused;
    if (dealtWith > 0) for (const client of await clients.matchAll()) client.postMessage({ sent, refused });
    if (dealtWith < waiting.length) throw new Error("the shop does not answer yet");
  });
}

function send({ key, url, body }, redirect) {
  const headers = { "content-type": "application/x-www-form-urlencoded", "accept": "text/html", "idempotency-key": key };
  return fetch(url, { method: "POST", headers, body, redirect });
}

function inLanguageOf(url, path) {
  const [, language] = new URL(url).pathname.match(/^(\/[a-z]{2})(\/|$)/) ?? [];
  return SHELL.includes(language + path) ? language + path : path;
}

/** Accesses the additions that wait for the network, in order of arrival. */
function inAdditions(mode, ask) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("shop", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("additions", { keyPath: "key" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("additions", mode);
      const asked = ask(transaction.objectStore("additions"));
      transaction.oncomplete = () => { opening.result.close(); resolve(asked.result); };
      transaction.onabort = () => { opening.result.close(); reject(transaction.error); };
    };
  });
}
