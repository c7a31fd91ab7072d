// What the pages do beyond plain HTML. Everything here is a comfort: each page works without it.
const page = document;
const person = page.querySelector('meta[name="person"]')?.content ?? "";
const isTyping = (target) => target.matches("input, textarea, select, [contenteditable]");

// htmx: the CSRF token travels as a header; a failed request says so instead of doing nothing.
page.addEventListener("htmx:configRequest", (event) => {
  const token = page.querySelector('meta[name="csrf-token"]')?.content;
  if (token) event.detail.headers["X-CSRFToken"] = token;
});
const UNSAVED = "Not saved: the server did not answer as expected. Your entries are still on this page; press “Save as draft”.";
const UNEXPECTED = "The server did not answer as expected. Reload the page to see the current state.";
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  page.addEventListener(failure, (event) => announce(event.target.id === "autosave" ? UNSAVED : UNEXPECTED));
}

// A whole page is never put into a part of this one: after the end of a session the log-in page answers every request.
const LOG_IN = "/accounts/login/";
const ENDED = "Your session has ended, and nothing more is saved. Reload the page to log in. "
  + "If you are filling in a form, send it instead: you log in first, and then your entries are back.";
const reasonIn = (answer) => answer.querySelector("[data-reason]")?.textContent.replace(/\s+/g, " ").trim();
page.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig: { elt, triggeringEvent }, shouldSwap, xhr } = event.detail;
  if (!shouldSwap || !/^\s*<!doctype/i.test(xhr.responseText)) return;
  const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const part = elt.closest("[hx-select]")?.getAttribute("hx-select");
  if (part && answer.querySelector(part)) return;
  event.detail.shouldSwap = false;
  const isEnded = new URL(xhr.responseURL).pathname.startsWith(LOG_IN);
  if (isEnded && triggeringEvent?.type === "submit") { keep(elt); elt.submit(); return; }
  announce(isEnded ? ENDED : reasonIn(answer) ?? (event.target.id === "autosave" ? UNSAVED : UNEXPECTED));
});

function announce(text) {
  const region = page.getElementById("announcements");
  if (!region || region.textContent.includes(text)) return;
  const template = page.getElementById("announcement");
  const message = template.content.firstElementChild.cloneNode(true);
  message.querySelector("p").textContent = text;
  region.append(message);
}

// What this browser remembers: a button tells the present choice, and takes the next one.
function remember(what, choices, current, apply) {
  for (const button of page.querySelectorAll(`[data-${what}-toggle]`)) {
    const name = button.querySelector("span");
    name.textContent = current();
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = choices[(choices.indexOf(current()) + 1) % choices.length];
      apply(next);
      try { localStorage.setItem(what, next); } catch { /* remembered for this page alone */ }
      name.textContent = current();
    });
  }
}
const root = page.documentElement;
remember("theme", ["system", "light", "dark"], () => root.dataset.theme ?? "system", (next) => {
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
});
// Single keys can be switched off: speech input and a slip of the hand press them too.
let singleKeys = "on";
try { singleKeys = localStorage.getItem("keys") ?? "on"; } catch { /* on, as for everybody */ }
remember("keys", ["on", "off"], () => singleKeys, (next) => { singleKeys = next; });

// The focus stays in its place. Where a swap or a dismissal removed what had it, the same element of the new part gets it,
// or else the part itself.
const looksOf = (each) => [each.tagName, each.name, each.getAttribute("href"), each.textContent.trim()].join();
let held = null;
page.addEventListener("focusin", ({ target }) => {
  const parts = [];
  for (let at = target; at; at = at.parentElement) if (at.id) parts.push(at.id);
  held = { target, parts, looks: looksOf(target) };
});
function keepFocus() {
  if (!held || held.target.isConnected || page.activeElement !== page.body) return;
  const parts = [...held.parts, "content"].map((id) => page.getElementById(id));
  const part = parts.find((each) => each?.textContent.trim() && each.checkVisibility());
  const same = [...part.querySelectorAll("a, button, summary, [tabindex]")]
    .find((each) => looksOf(each) === held.looks && each.checkVisibility());
  if (!same && part.tabIndex < 0) part.tabIndex = -1;
  (same ?? part).focus({ preventScroll: true });
}
page.addEventListener("htmx:afterSettle", keepFocus);
// A button that rested while its form was sent has lost the focus, and gets it back when nothing replaced the form.
page.addEventListener("htmx:afterRequest", ({ target }) => {
  if (target.localName !== "form" || page.activeElement !== page.body || !target.contains(held?.target)) return;
  held.target.focus({ preventScroll: true });
});

// Menus close when a click or the focus goes elsewhere; Escape closes them and gives the focus back.
function closeMenus({ target }) {
  for (const menu of page.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
}
page.addEventListener("focusin", closeMenus);
page.addEventListener("click", (event) => {
  closeMenus(event);
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".message").remove();
  if (dismiss) keepFocus();
  const closing = event.target.closest("[data-close]");
  if (closing) closing.closest("dialog").close();
  const copying = event.target.closest("[data-copy]");
  if (copying) navigator.clipboard?.writeText(copying.dataset.copy).then(() => {
    copying.setAttribute("aria-label", "Copied");
    copying.querySelector("use")?.setAttribute("href", copying.dataset.done);
  });
});

// `?` beside a term shows its meaning beside it. Escape, or a click elsewhere, closes it and gives the focus back.
page.addEventListener("click", (event) => {
  const asked = event.target.closest("a[data-term]");
  const note = page.getElementById("term-note");
  if (!asked || !note?.showPopover || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  note.querySelector("strong").textContent = asked.dataset.term;
  note.querySelector("p").textContent = asked.dataset.meaning.replaceAll("`", "");
  note.querySelector("a").href = asked.href;
  note.showPopover({ source: asked });
  note.focus();
});

// Keys: / search, j and k walk a list, Enter opens, ? shows the keys.
let cursor = null;
function walk(step) {
  const rows = [...page.querySelectorAll("[data-rows] tbody tr:has(a)")];
  if (!rows.length) return;
  const at = rows.indexOf(cursor);
  cursor?.removeAttribute("data-cursor");
  cursor = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  cursor.setAttribute("data-cursor", "");
  cursor.querySelector("a").focus({ preventScroll: true });
  cursor.scrollIntoView({ block: "nearest" });
}
// Ctrl-K opens the palette; arrows walk its hits, Enter opens the first one, and Escape closes it. While the hits are
// still those of other words, Enter sends the words to the page of the search.
function palette() {
  const dialog = page.getElementById("palette");
  if (!dialog || page.querySelector("dialog[open]")) return;
  dialog.showModal();
  dialog.querySelector("input").select();
}
page.getElementById("palette")?.addEventListener("keydown", (event) => {
  const links = [...event.currentTarget.querySelectorAll("a")];
  const words = event.currentTarget.querySelector("[data-words]")?.dataset.words;
  const isCurrent = words === event.currentTarget.querySelector("input").value.trim();
  const at = links.indexOf(page.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && links.length) {
    event.preventDefault();
    (links[at + step] ?? event.currentTarget.querySelector("input")).focus();
  } else if (event.key === "Enter" && at < 0 && links.length && isCurrent) {
    event.preventDefault();
    links[0].click();
  } else if (event.key === "Escape") {
    event.currentTarget.close();
  }
});

const KEYS = {
  "/": () => page.getElementById("search")?.focus(),
  "?": () => page.getElementById("keys")?.showModal(),
  j: () => turn("next") || walk(1),
  k: () => turn("prev") || walk(-1),
};
// Pages of one item each: the arrows turn them too, unless they scroll something.
function turn(direction) {
  const link = page.querySelector(`a[rel="${direction}"][data-turn]`);
  link?.click();
  return Boolean(link);
}
const ARROWS = { ArrowRight: "next", ArrowLeft: "prev" };
page.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = page.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    if (event.target.id === "search") page.getElementById("content").focus({ preventScroll: true });
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); palette(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || page.querySelector("dialog[open]")) return;
  const act = singleKeys === "on" && KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
  const arrow = ARROWS[event.key];
  if (arrow && !event.shiftKey && !event.target.closest(".table-scroll") && turn(arrow)) event.preventDefault();
});

// Ctrl+Enter in a text sends its form, where the form says so.
page.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.target.closest("form[data-ctrl-enter]")?.requestSubmit();
});

// Clocks: full minutes since a moment, counted on from what the server said: the clock of this machine may differ.
const told = new WeakMap();
setInterval(() => {
  for (const clock of page.querySelectorAll("[data-minutes-since]")) {
    const since = told.get(clock) ?? { minutes: Number(clock.textContent), at: performance.now() - 15000 };
    told.set(clock, since);
    clock.textContent = String(since.minutes + Math.floor((performance.now() - since.at) / 60000));
  }
}, 15000);

// What was typed comes back after a log-in that interrupted the sending; this tab alone keeps it until then, and only
// for the person who typed it.
const UNSENT = "unsent";
const isLogIn = location.pathname.startsWith(LOG_IN);
const NOT_TYPED = ["hidden", "password", "file", "submit", "button"];
const withoutHash = (address) => address.split("#")[0];
function keep(form) {
  const typed = new Set([...form.elements].filter((field) => !NOT_TYPED.includes(field.type)).map(({ name }) => name));
  const fields = [...new FormData(form)].filter(([name, value]) => typed.has(name) && value);
  try {
    const entry = JSON.stringify({ person, action: withoutHash(form.action), fields });
    if (fields.length) sessionStorage.setItem(UNSENT, entry);
    else sessionStorage.removeItem(UNSENT);
  } catch { /* no room */ }
}
function restore() {
  const unsent = JSON.parse(sessionStorage.getItem(UNSENT) ?? "null");
  if (!unsent) return;
  if (isLogIn) { sessionStorage.setItem(UNSENT, JSON.stringify({ ...unsent, isInterrupted: true })); return; }
  if (person && unsent.person !== person) { sessionStorage.removeItem(UNSENT); return; }
  const form = [...page.forms].find((each) => withoutHash(each.action) === unsent.action && each.method === "post");
  if (!unsent.isInterrupted || form) sessionStorage.removeItem(UNSENT);
  if (!unsent.isInterrupted || !form) return;
  for (const [name, value] of unsent.fields) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "hidden") continue;
      if (["radio", "checkbox"].includes(field.type)) field.checked = field.checked || field.value === value;
      else field.value = value;
    }
  }
  form.closest("details")?.setAttribute("open", "");
  announce("Your session had ended, and nothing was sent. Your entries are back; choose files again, then send them.");
}
restore();

// A form in steps: its index names the step that is shown. If it is refused, the address names none, so that the step
// with the error is shown.
function markStep() {
  for (const link of page.querySelectorAll("[data-steps] a")) {
    if (page.querySelector(link.hash)?.checkVisibility()) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
}
page.addEventListener("submit", ({ target }) => {
  if (page.querySelector("[data-steps]")) target.action = withoutHash(target.action);
}, true);
addEventListener("hashchange", markStep);
markStep();

// A form is sent once: its button rests until the answer comes.
page.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  form.dataset.sent = "true";
  if (person) keep(form);
  event.submitter?.setAttribute("aria-busy", "true");
});
// What a form saves by itself after a change is not sent behind the form: the draft would outlive what it became.
page.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.closest("form[data-sent]")) event.preventDefault();
});
addEventListener("pageshow", () => {
  for (const form of page.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of page.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// Charts: their script is fetched when the first chart comes near the screen, never before the page can be read.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    import(target.dataset.chart).then(({ enliven }) => enliven(target));
  }
}, { rootMargin: "200px" });
function watchCharts() {
  for (const figure of page.querySelectorAll("figure[data-chart]:not([data-lively])")) seen.observe(figure);
}
watchCharts();
page.addEventListener("htmx:afterSettle", watchCharts);

// Comments: the script that completes names is fetched when the first comment is about to be written.
page.addEventListener("focusin", ({ target }) => {
  const place = target.matches("textarea") && target.closest("[data-mentions]");
  if (place) import(place.dataset.script).then(({ complete }) => complete(target, place.dataset.mentions));
});
