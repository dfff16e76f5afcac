//! Waits for a change of an order: polls its status, less and less often, while the page is
//! visible, and tells `shop.js` when it has changed. An order that is not placed yet has no status
//! to poll, so its page is fetched.

const watched = new WeakSet();

watchIt();
document.addEventListener("exchanged", watchIt);

function watchIt() {
  const element = document.querySelector("[data-pauses]");
  if (!element || watched.has(element)) return;
  watched.add(element);
  watch(element);
}

function watch(element) {
  const pauses = element.dataset.pauses.split(" ");
  let timer = 0;
  let asked = 0;
  let asking = false;
  let since = Date.now();

  const wait = () => {
    const secs = pauses[Math.min(asked++, pauses.length - 1)];
    timer = setTimeout(look, secs * (800 + 400 * Math.random()));
  };
  const look = async () => {
    clearTimeout(timer);
    if (!element.isConnected) return document.removeEventListener("visibilitychange", lookAnew);
    if (asking || document.hidden || Date.now() - since > element.dataset.watched * 1000) return;
    asking = true;
    const moved = await hasMoved(element);
    asking = false;
    if (moved) element.dispatchEvent(new Event("moved", { bubbles: true }));
    wait();
  };
  const lookAnew = () => {
    asked = 0;
    since = Date.now();
    look();
  };
  document.addEventListener("visibilitychange", lookAnew);
  wait();
}

async function hasMoved({ dataset: { asks, tag } }) {
  if (!asks) return true;
  const answer = await fetch(asks, { headers: { "if-none-match": tag } }).catch(() => null);
  return answer?.status === 200;
}
