//! Exchanges the token in an order link for a cookie. It runs before the rest of the page is read,
//! so that the token has left the address bar before anything else can see it.

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
 * Reloads the page once the order is open. Until then, or if that fails, the form on the page
 * offers the other way.
 */
async function open(token) {
  const path = document.querySelector("[data-opens-at]")?.dataset.opensAt;
  if (!path) return;
  const answer = await fetch(path, { method: "POST", body: new URLSearchParams({ token }) }).catch(() => null);
  if (answer?.ok) location.reload();
}
