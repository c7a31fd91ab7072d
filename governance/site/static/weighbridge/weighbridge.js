// What the pages do beyond plain HTML. Everything here is a comfort: each page works without it.
const page = document;
const isTyping = (target) => target.matches("input, textarea, select, [contenteditable]");

// htmx: the CSRF token travels as a header; a failed request says so instead of doing nothing.
page.addEventListener("htmx:configRequest", (event) => {
  const token = page.querySelector('meta[name="csrf-token"]')?.content;
  if (token) event.detail.headers["X-CSRFToken"] = token;
});
const UNSAVED = "Not saved: the server did not answer as expected. Your entries are still on this page; press “Save as draft”.";
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  page.addEventListener(failure, (event) => announce(event.target.id === "autosave"
    ? UNSAVED : "The server did not answer as expected. Reload the page to see the current state."));
}

// A form that saves itself stays as it is when the answer is another page, as after the end of a session.
page.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== "autosave" || event.detail.xhr.responseText.includes('id="autosave"')) return;
  event.detail.shouldSwap = false;
  announce(UNSAVED);
});

function announce(text) {
  const region = page.getElementById("announcements");
  if (!region || region.textContent.includes(text)) return;
  const template = page.getElementById("announcement");
  const message = template.content.firstElementChild.cloneNode(true);
  message.querySelector("p").textContent = text;
  region.append(message);
}

// Theme: system, light, dark, and round again.
const THEMES = ["system", "light", "dark"];
for (const button of page.querySelectorAll("[data-theme-toggle]")) {
  const name = button.querySelector("[data-theme-name]");
  const current = () => page.documentElement.dataset.theme ?? "system";
  const show = () => { if (name) name.textContent = current(); };
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    if (next === "system") delete page.documentElement.dataset.theme;
    else page.documentElement.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* remembered for this page alone */ }
    show();
  });
}

// Menus close on a click elsewhere; Escape closes them and gives the focus back.
page.addEventListener("click", (event) => {
  for (const menu of page.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".message").remove();
  const closing = event.target.closest("[data-close]");
  if (closing) closing.closest("dialog").close();
  const copying = event.target.closest("[data-copy]");
  if (copying) navigator.clipboard?.writeText(copying.dataset.copy).then(() => {
    copying.setAttribute("aria-label", "Copied");
    copying.querySelector("use")?.setAttribute("href", copying.dataset.done);
  });
});

// Keys: / search, j and k walk a list, Enter opens, ? shows the keys.
let cursor = null;
function walk(step) {
  const rows = [...page.querySelectorAll("[data-rows] tr:has(a)")];
  if (!rows.length) return;
  const at = rows.indexOf(cursor);
  cursor?.removeAttribute("data-cursor");
  cursor = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  cursor.setAttribute("data-cursor", "");
  cursor.querySelector("a").focus({ preventScroll: true });
  cursor.scrollIntoView({ block: "nearest" });
}
const KEYS = {
  "/": () => page.getElementById("search")?.focus(),
  "?": () => page.getElementById("keys")?.showModal(),
  j: () => walk(1),
  k: () => walk(-1),
};
page.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = page.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    if (event.target.id === "search") event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || page.querySelector("dialog[open]")) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

// A form is sent once: its button rests until the answer comes.
page.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  form.dataset.sent = "true";
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of page.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of page.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});
