//! Keeps the availability shown on a page current: one WebSocket for each SKU, reopened when it
//! closes, and closed when the SKU has left the page. Without JavaScript, the availability stays as
//! loaded.

const LONGEST_PAUSE_MS = 60_000;
const PING_EVERY_MS = 45_000;
const watched = new WeakSet();

watchAll();
document.addEventListener("exchanged", watchAll);

function watchAll() {
  for (const element of document.querySelectorAll("[data-stock-sku]")) {
    if (watched.has(element)) continue;
    watched.add(element);
    watch(element);
  }
}

function watch(element, failures = 0) {
  if (!element.isConnected) return;
  const path = `/api/v1/stock/${encodeURIComponent(element.dataset.stockSku)}/live`;
  const socket = new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
  const leave = () => element.isConnected || socket.close();
  const ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send("ping"), PING_EVERY_MS);
  document.addEventListener("exchanged", leave);
  socket.addEventListener("message", ({ data }) => {
    failures = 0;
    if (data === "pong") return;
    const { sku, stock } = JSON.parse(data);
    if (sku === element.dataset.stockSku) show(element, stock);
  });
  socket.addEventListener("close", () => {
    clearInterval(ping);
    document.removeEventListener("exchanged", leave);
    const pause = Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** failures) * (1 + Math.random());
    setTimeout(() => watch(element, failures + 1), pause);
  });
}

function show(element, stock) {
  element.dataset.stock = stock;
  for (const words of element.querySelectorAll("[data-word]")) words.hidden = words.dataset.word !== stock;
  const button = element.parentElement.querySelector("[data-needs-stock]");
  if (button) button.disabled = stock === "out";
}
