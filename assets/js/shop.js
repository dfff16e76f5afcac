//! Enhancements for browsers with JavaScript; every page works without it. A link or form with
//! `data-swap="id"` fetches its page and replaces only that element; the cart opens beside the
//! page; pictures open enlarged; times are shown in the reader's own time zone.
//!
//! Anything that can't be swapped is shown as a whole page. A rejected form has a page of its own,
//! so no error is lost.

const toast = document.getElementById("toast");
const drawerStatus = document.getElementById("drawer-status");
const drawer = document.getElementById("drawer");
const drawerContent = document.getElementById("drawer-content");
const motion = matchMedia("(prefers-reduced-motion: reduce)");
const sent = new WeakSet();
let current = null;
let turn = Promise.resolve();
let toastTimer = 0;
let shown = location.pathname + location.search;

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link) return;
  if (link.dataset.swap) return take(event, () => swap(link, new Request(link.href)));
  if (link.dataset.opens === "drawer" && !document.querySelector("main #cart")) return take(event, openCart);
  if (link.hasAttribute("data-zoom")) return take(event, () => zoom(link));
  if (link.closest(".thumbnails")) return take(event, () => show(link.hash.slice(1)));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  sent.add(form);
  if (form.dataset.swap) return take(event, () => swap(form, requestOf(form, event.submitter)));
  if (form.hasAttribute("data-adds")) return take(event, () => add(form, event.submitter));
});

document.addEventListener("change", ({ target }) => target.dataset?.refreshes && refresh(target));
document.addEventListener("change", ({ target: { form } }) => form?.hasAttribute("data-auto") && setTimeout(() => sent.has(form) || form.requestSubmit()));
drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
addEventListener("popstate", () => location.pathname + location.search !== shown && location.reload());
addEventListener("storage", ({ key }) => key === "cart" && showCount(remembered()));
document.addEventListener("cart-changed", countAnew);
document.addEventListener("moved", ({ target }) => showNews(target));
addEventListener("pageshow", ({ persisted }) => persisted && refreshCount());

arrange(document);
refreshCount();

function take(event, act) {
  event.preventDefault();
  act();
}

function requestOf(form, submitter) {
  const data = new URLSearchParams(new FormData(form, submitter));
  if (submitter?.name === "step") count(form, Number(submitter.value));
  if (form.method === "post") return new Request(form.action, { method: "POST", body: data });
  const url = new URL(form.action);
  for (const [name, value] of [...data]) if (!value) data.delete(name);
  url.search = data;
  return new Request(url);
}

/** Sets the quantity from which the next click counts, whether or not this request is answered. */
function count(form, quantity) {
  const input = form.elements.quantity;
  if (!input) return;
  for (const button of form.querySelectorAll("[name=step]")) button.value = Math.max(0, Number(button.value) + quantity - input.value);
  input.value = quantity;
}

/**
 * Fetches a page; null if a later request has overtaken this one. If the network fails, the browser
 * navigates there and shows its own error.
 */
async function load(request, element) {
  current?.abort();
  const mine = (current = new AbortController());
  element?.classList.add("is-waiting");
  try {
    request.headers.set("accept", "text/html");
    const answer = await (request.method === "POST" ? inTurn(request) : turn.then(() => fetch(request, { signal: mine.signal })));
    const page = parse(await answer.text());
    mine.signal.throwIfAborted();
    return { page, url: answer.url };
  } catch (error) {
    if (error.name === "AbortError") {
      if (request.method === "POST") turn.then(refreshCount);
      return null;
    }
    if (request.method === "GET") location.assign(request.url);
    else announce(error.message);
    return null;
  } finally {
    element?.classList.remove("is-waiting");
  }
}

/**
 * Sends changes one after the other, so that they arrive in order. A change is always sent, and
 * only its response may be overtaken. Reads wait for it, too.
 */
function inTurn(request) {
  const answer = turn.then(() => fetch(request));
  turn = answer.catch(() => {});
  return answer;
}

async function swap(source, request) {
  const { swap: id, history: mode } = source.dataset;
  const loaded = await load(request, document.getElementById(id));
  if (!loaded) return sent.delete(source);
  const fresh = loaded.page.getElementById(id);
  const old = source.closest(`#${id}`) ?? document.getElementById(id);
  if (!fresh || !old) return showWhole(loaded, request);
  await moving(() => exchange(old, fresh));
  if (request.method === "GET") {
    // Its links to other languages and currencies contain the address.
    document.querySelector(".site-footer").replaceWith(loaded.page.querySelector(".site-footer"));
    history[mode === "replace" ? "replaceState" : "pushState"](null, "", loaded.url);
    shown = location.pathname + location.search;
  }
  if (fresh.id === "cart") remember(Number(fresh.dataset.count));
  else document.title = loaded.page.title;
}

/**
 * Shows the parts of a form that depend on a choice, as the page has them for that choice. Values
 * in them are kept if their field still exists.
 */
async function refresh(select) {
  const { name, value, dataset: { refreshes } } = select;
  const url = new URL(location.href);
  url.searchParams.delete("quote");
  url.searchParams.set(name, value);
  const page = await pageOf(await ask(url));
  if (!page || select.value !== value) return;
  for (const id of refreshes.split(" ")) {
    const [old, fresh] = [document, page].map((from) => from.getElementById(id));
    if (old && fresh) keepTyped(old, fresh), exchange(old, fresh);
  }
}

function keepTyped(old, fresh) {
  const before = [...old.querySelectorAll("input")];
  for (const input of fresh.querySelectorAll("input")) {
    const isRadio = input.type === "radio";
    const was = before.find((it) => it.name === input.name && (!isRadio || it.checked));
    if (!was) continue;
    if (!isRadio) input.value = was.value;
    else if (input.value === was.value) input.checked = true;
  }
}

/** Makes a request in the background; null if it fails. */
function ask(url) {
  return fetch(url, { headers: { accept: "text/html" } }).catch(() => null);
}

async function pageOf(answer) {
  return answer?.ok ? parse(await answer.text()) : null;
}

/**
 * Parses a page. A parser has no scripting, so it reads the content of `noscript` as elements,
 * among them buttons that Enter would press; they are taken out.
 */
function parse(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const unscripted of page.querySelectorAll("noscript")) unscripted.remove();
  return page;
}

/** Replaces an element. The element with the keyboard focus is found again by its ID. */
function exchange(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  arrange(fresh);
  const again = focused && document.getElementById(focused);
  if (again && !again.disabled) again.focus({ preventScroll: true });
  else if (focused) (fresh.querySelector("h1") ?? fresh).focus?.();
  document.dispatchEvent(new Event("exchanged"));
}

function showWhole({ page, url }, request) {
  const content = page.getElementById("content");
  if (!content) return location.assign(request.method === "GET" ? url : location.href);
  drawer.close();
  document.getElementById("content").replaceWith(content);
  document.title = page.title;
  arrange(content);
  content.focus();
}

function moving(change) {
  if (!document.startViewTransition || motion.matches || drawer.open) return change();
  return document.startViewTransition(change).updateCallbackDone;
}

async function add(form, submitter) {
  const button = form.querySelector("button");
  if (button.classList.contains("is-waiting")) return;
  const loaded = await load(requestOf(form, submitter), button);
  if (!loaded) return;
  fillDrawer(loaded.page);
  if (drawerContent.querySelector("#cart")) announce(form.dataset.adds);
}

async function openCart() {
  drawerContent.replaceChildren(document.getElementById("drawer-waiting").content.cloneNode(true));
  if (!drawer.open) drawer.showModal();
  const loaded = await load(new Request(drawer.dataset.cart));
  if (loaded) fillDrawer(loaded.page);
}

/** Fills the drawer with the cart, or with the page that says why there is none. */
function fillDrawer(page) {
  const cart = page.getElementById("cart");
  drawerContent.replaceChildren(...(cart ? [cart] : page.getElementById("content").childNodes));
  arrange(drawerContent);
  document.dispatchEvent(new Event("exchanged"));
  if (!drawer.open) drawer.showModal();
  if (cart) remember(Number(cart.dataset.count));
}

/**
 * Announces a text inside the drawer while it is open, because screen readers read nothing outside
 * it.
 */
function announce(text) {
  const place = drawer.open ? drawerStatus : toast;
  toast.textContent = drawerStatus.textContent = "";
  place.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (place.textContent = ""), 6000);
}

/**
 * Updates the number of units in the cart. Only visitors who have put something into a cart need
 * the request; for everyone else, a page costs a single one.
 */
async function refreshCount() {
  const cart = document.querySelector("main #cart");
  if (cart) return remember(Number(cart.dataset.count));
  if (remembered() === null) return;
  showCount(remembered());
  await countAnew();
}

async function countAnew() {
  const answer = await fetch("/api/v1/cart").catch(() => null);
  if (answer?.ok) remember((await answer.json()).quantity);
}

function remember(count) {
  if (count > 0) localStorage.setItem("cart", count);
  else localStorage.removeItem("cart");
  showCount(count);
}

function remembered() {
  return localStorage.getItem("cart");
}

function showCount(count) {
  for (const badge of document.querySelectorAll("[data-cart-count]")) {
    badge.textContent = count ?? "";
    badge.hidden = !Number(count);
  }
}

/** Sets up a part of a page that has just been inserted. */
function arrange(part) {
  for (const time of part.querySelectorAll("time[data-local]")) tell(time);
  for (const gallery of part.querySelectorAll("[data-gallery]")) follow(gallery);
}

function tell(time) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  time.textContent = format.format(new Date(time.dateTime));
}

/** Replaces only what has changed, so as not to disturb the reader. */
async function showNews(element) {
  const answer = await ask(location.href);
  if (answer?.redirected) return location.assign(answer.url);
  const fresh = (await pageOf(answer))?.getElementById(element.id);
  if (!fresh || !element.isConnected) return;
  const wording = (part) => [...part.querySelectorAll(".status, .timeline span, .button")].map((it) => it.textContent).join();
  if (wording(fresh) === wording(element)) return Object.assign(element.dataset, { ...fresh.dataset });
  const said = fresh.querySelector(".status").textContent;
  if (said !== element.querySelector(".status").textContent) announce(said);
  exchange(element, fresh);
  refreshCount();
}

function show(id) {
  document.getElementById(id)?.scrollIntoView({ behavior: motion.matches ? "instant" : "smooth", block: "nearest", inline: "start" });
}

/** Marks the thumbnail of the picture in view. */
function follow(gallery) {
  const watch = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      const thumbnail = gallery.querySelector(`[href="#${target.id}"]`);
      if (isIntersecting) thumbnail?.setAttribute("aria-current", "true");
      else thumbnail?.removeAttribute("aria-current");
    }
  }, { root: gallery.querySelector(".frames"), threshold: 0.6 });
  for (const frame of gallery.querySelectorAll(".frames li")) watch.observe(frame);
}

function zoom(link) {
  const dialog = document.createElement("dialog");
  dialog.className = "zoom";
  dialog.setAttribute("aria-label", link.getAttribute("aria-label"));
  const image = Object.assign(document.createElement("img"), { src: link.href, alt: link.querySelector("img").alt });
  const close = drawer.querySelector("form .icon-button").cloneNode(true);
  close.addEventListener("click", () => dialog.close());
  dialog.append(close, image);
  image.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  document.body.append(dialog);
  dialog.showModal();
}
