// flexid: small comforts. Every page works without this file; elements that need it carry `hidden` until it runs.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (event, selector, act) =>
  document.addEventListener(event, (e) => { const found = e.target.closest?.(selector); if (found) act(found, e); });

// Theme: the cookie lets the server print data-theme, so that no page flashes.
on("click", "[data-theme-switch]", () => {
  const page = document.documentElement;
  const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  page.dataset.theme = dark ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${page.dataset.theme}; path=/; max-age=31536000; samesite=lax${secure}`;
});

// Copy: the button says so for two seconds, and to screen readers.
on("click", "[data-copy]", async (button) => {
  if ("done" in button.dataset) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.querySelector("[aria-live]");
  const before = label.textContent;
  label.textContent = button.dataset.copied;
  button.dataset.done = "";
  setTimeout(() => { label.textContent = before; delete button.dataset.done; }, 2000);
});

// Dialogs: a link to the confirming page opens the dialog of that page's form instead.
on("click", "[data-dialog]", (link, event) => {
  const dialog = document.getElementById(link.dataset.dialog);
  if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  dialog.showModal();
});
on("click", "dialog [data-close]", (key, event) => { event.preventDefault(); key.closest("dialog").close(); });

// Tick all rows of the page.
on("change", "[data-tick-all]", (box) => {
  for (const tick of all("tbody .tick", box.closest("table"))) tick.checked = box.checked;
});

// Live search: the form's own address, a moment after the last key; only the results are replaced, the count is said.
let waiting, asking;
async function refresh(form) {
  asking?.abort();
  asking = new AbortController();
  const filled = [...new FormData(form)].filter(([, value]) => value !== "");
  const url = new URL(form.action);
  url.search = new URLSearchParams(filled);
  const status = form.querySelector("[data-live-status]");
  const failed = () => { status.textContent = form.dataset.failed; status.className = "error"; };
  try {
    const answer = await fetch(url, { signal: asking.signal, headers: { Accept: "text/html" } });
    // The session has ended, or the list is gone: be where the server wants us.
    if (answer.redirected && new URL(answer.url).pathname !== url.pathname) return location.assign(answer.url);
    if (!answer.ok) return failed();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(form.dataset.live);
    if (!fresh) return location.assign(url);
    document.getElementById(form.dataset.live).replaceWith(fresh);
    wake(fresh);
    history.replaceState(history.state, "", url);
    status.className = "unseen";
    status.textContent = fresh.dataset.said;
  } catch (problem) {
    if (problem.name !== "AbortError") failed();
  }
}
on("input", "form[data-live]", (form, event) => {
  clearTimeout(waiting);
  if (!event.isComposing) waiting = setTimeout(refresh, 180, form);
});
on("compositionend", "form[data-live]", (form) => { waiting = setTimeout(refresh, 180, form); });

// Hue: the number and the slider follow each other, and paint the page while they move.
on("input", "[data-hue]", (moved) => {
  for (const other of all("[data-hue]", moved.closest(".field"))) if (other !== moved) other.value = moved.value;
  if (moved.value !== "" && moved.checkValidity()) document.documentElement.style.setProperty("--hue", moved.value);
});

// The editor grows with its text, and its numbers with it.
on("input", ".editor > textarea", (area) => {
  const lines = area.value.split("\n").length;
  const numbers = area.previousElementSibling;
  area.rows = Math.max(lines + 1, 10);
  while (numbers.children.length < area.rows) numbers.append(document.createElement("li"));
});

// Waiting for another device: ask every two seconds, less often the longer it takes or the worse it goes, never while hidden.
async function poll(element, pause) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  if (!element.isConnected) return;
  try {
    const answer = await fetch(element.dataset.poll, { headers: { Accept: "application/json" }, cache: "no-store" });
    const gone = answer.redirected || (answer.status >= 400 && answer.status < 500 && answer.status !== 429);
    if (gone || (answer.ok && (await answer.json()).attached)) return location.reload();
    poll(element, answer.ok ? Math.min(pause * 1.02, 10_000) : Math.min(pause * 2, 30_000));
  } catch {
    poll(element, Math.min(pause * 2, 30_000));
  }
}
for (const element of all("[data-poll]")) poll(element, 2000);

// A row of tabs begins where the current one can be seen.
for (const tab of all(".tabs [aria-current]")) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}

// What needs this file appears; what it replaces goes. Browsers let pages copy on TLS only.
function wake(root) {
  for (const element of all("[data-needs-js]", root)) element.hidden = "copy" in element.dataset && !navigator.clipboard;
  for (const element of all("[data-without-js]", root)) element.hidden = true;
}
wake(document);
document.getElementById("problems")?.focus();
