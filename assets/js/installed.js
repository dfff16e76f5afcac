//! Registers the service worker and reports what it did: that products put into the cart offline
//! have been sent, and that a new version of the shop is ready. The texts come from the page.

const { dataset: words } = document.querySelector("[data-service-worker]");
const workers = navigator.serviceWorker;

if (workers) {
  workers.addEventListener("message", ({ data: { sent, refused } }) => {
    if (document.querySelector("main #cart")) return location.reload();
    if (sent) document.dispatchEvent(new Event("cart-changed"));
    announce(refused ? words.refused : words.sent);
  });
  addEventListener("online", sendKept);
  if (document.readyState === "complete") start();
  else addEventListener("load", start);
}

async function start() {
  const registration = await workers.register(words.serviceWorker).catch(() => null);
  if (!registration) return;
  if (navigator.onLine) sendKept();
  if (registration.waiting && workers.controller) announceUpdate(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const fresh = registration.installing;
    fresh.addEventListener("statechange", () => fresh.state === "installed" && workers.controller && announceUpdate(fresh));
  });
}

function sendKept() {
  workers.controller?.postMessage("online");
}

function announceUpdate(fresh) {
  const reload = Object.assign(document.createElement("button"), { textContent: words.reload });
  reload.addEventListener("click", () => {
    workers.addEventListener("controllerchange", () => location.reload(), { once: true });
    fresh.postMessage("take over");
  });
  announce(words.update, reload);
}

/** Announces a text. A live region must exist before its text is set, or it is not read out. */
function announce(text, ...more) {
  const notice = Object.assign(document.createElement("div"), { className: "toast lasting" });
  notice.setAttribute("role", "status");
  document.body.append(notice);
  const close = Object.assign(document.createElement("button"), { textContent: words.close });
  close.addEventListener("click", () => notice.remove());
  requestAnimationFrame(() => notice.append(text, " ", ...more, close));
}
