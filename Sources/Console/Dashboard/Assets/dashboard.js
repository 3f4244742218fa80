// Keeps a page live: reads it again every few seconds and replaces the parts that say so. Everything works without it.
"use strict";
(() => {
  const every = 3000;
  const lost = document.getElementById("connection");
  const gone = document.getElementById("gone");
  const news = document.getElementById("news");
  const address = document.getElementById("main").dataset.page ?? location.href;
  let lastSeen = new Date();
  let timer = null;

  // A part is left alone while someone works in it: an open form must not close, a typed word must not go.
  const isInUse = (part) =>
    part.contains(document.activeElement) && document.activeElement !== document.body ||
    part.querySelector("details[open]") !== null ||
    (document.getSelection() !== null && !document.getSelection().isCollapsed &&
      part.contains(document.getSelection().anchorNode));

  const replace = (fresh) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (next === null || isInUse(part) || next.innerHTML === part.innerHTML) continue;
      part.replaceChildren(...document.importNode(next, true).childNodes);
      // Read out when what it is about changes, not when seconds go by in it.
      if (next.dataset.news !== part.dataset.news) {
        part.dataset.news = next.dataset.news;
        news.textContent = part.textContent.trim().replace(/\s+/g, " ");
      }
    }
    // Forms outside of live parts keep what is typed, but must bring the newest token.
    const token = fresh.querySelector('input[name="csrf"]');
    if (token !== null) {
      for (const input of document.querySelectorAll('input[name="csrf"]')) input.value = token.value;
    }
  };

  const tell = (what) => {
    for (const seen of document.querySelectorAll("[data-seen]")) seen.textContent = lastSeen.toISOString().slice(11, 19);
    for (const note of [lost, gone]) note.hidden = note !== what;
  };

  const refresh = async () => {
    try {
      const response = await fetch(address, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(10000) });
      if (response.type === "opaqueredirect") { location.reload(); return; }
      if (response.status === 404) { tell(gone); return; }
      if (!response.ok) throw new Error(String(response.status));
      replace(new DOMParser().parseFromString(await response.text(), "text/html"));
      lastSeen = new Date();
      tell(null);
    } catch {
      tell(lost);
    }
    schedule();
  };

  const schedule = () => {
    clearTimeout(timer);
    if (!document.hidden && document.querySelector("[data-live]") !== null) timer = setTimeout(refresh, every);
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer); else refresh();
  });
  // A second click must not send a form twice.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button")) button.disabled = true;
  });
  schedule();
})();
