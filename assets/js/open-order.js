//! Trades the token in a link to an order for a cookie. It runs before the rest of the page is
//! read, so that the token has left the address before anything else can see it.

trade();
addEventListener("hashchange", trade);

function trade() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => open(token), { once: true });
  else open(token);
}

/**
 * The page is loaded anew once the order is open; until then, and when it stays closed, the form on
 * it is the other way.
 */
async function open(token) {
  const path = document.querySelector("[data-opens-at]")?.dataset.opensAt;
  if (!path) return;
  const answer = await fetch(path, { method: "POST", body: new URLSearchParams({ token }) }).catch(() => null);
  if (answer?.ok) location.reload();
}
