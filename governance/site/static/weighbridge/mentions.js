// Completes user names after an @ in a comment. Without it, or when the server does not answer, a comment works as before.
const PAUSE_MS = 150;
const TYPED = /(?:^|[^\p{L}\p{N}_@.+/-])@([\p{L}\p{N}_.+@-]{0,150})$/u;
const AWAY = ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
const KNOWN = new WeakSet();
let count = 0;

export function complete(area, address) {
  if (KNOWN.has(area)) return;
  KNOWN.add(area);
  const id = `mentions-${(count += 1)}`;
  const [place, list, status] = ["div", "ul", "p"].map((name) => document.createElement(name));
  place.className = "mentions";
  Object.assign(list, { id, hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "People you can mention");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  place.append(list, status);
  area.after(place);
  let asking = null;
  let timer = 0;
  let chosen = 0;

  const typed = () => {
    const { selectionStart: start, selectionEnd: end, value } = area;
    return start === end ? value.slice(0, start).match(TYPED)?.[1] : undefined;
  };

  function close() {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    list.replaceChildren();
    status.textContent = "";
    for (const name of ["role", "aria-multiline", "aria-autocomplete", "aria-expanded", "aria-controls", "aria-activedescendant"]) {
      area.removeAttribute(name);
    }
  }

  function choose(index) {
    chosen = (index + list.children.length) % list.children.length;
    for (const [at, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(at === chosen));
    area.setAttribute("aria-activedescendant", list.children[chosen].id);
    list.children[chosen].scrollIntoView({ block: "nearest" });
  }

  function take(index) {
    const begun = typed();
    if (begun === undefined) return close();
    const { selectionStart: caret, value } = area;
    const space = /^\s/.test(value.slice(caret)) ? "" : " ";
    area.setRangeText(`${list.children[index].dataset.username}${space}`, caret - begun.length, caret, "end");
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function option({ username, name }, index) {
    const item = document.createElement("li");
    item.id = `${id}-${index}`;
    item.dataset.username = username;
    item.setAttribute("role", "option");
    const strong = document.createElement("strong");
    strong.textContent = `@${username}`;
    item.append(strong, ` ${name}`);
    item.addEventListener("mousedown", (event) => event.preventDefault());
    item.addEventListener("click", () => take(index));
    return item;
  }

  function show(people) {
    if (!people.length) {
      close();
      status.textContent = "Nobody who can see this has such a name.";
      return;
    }
    list.replaceChildren(...people.map(option));
    list.hidden = false;
    const state = { role: "combobox", "aria-multiline": "true", "aria-autocomplete": "list", "aria-expanded": "true", "aria-controls": id };
    for (const [name, value] of Object.entries(state)) area.setAttribute(name, value);
    choose(0);
    const found = people.length === 1 ? "1 person" : `${people.length} people`;
    status.textContent = `${found}. Arrow keys choose, Enter takes, Escape closes.`;
  }

  async function ask(begun) {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`${address}?q=${encodeURIComponent(begun)}`, { signal: asking.signal });
      if (!answer.ok || answer.redirected) return close();
      const { people } = await answer.json();
      if (document.activeElement === area && typed() === begun) show(people);
    } catch { /* a later question, or no answer */ }
  }

  function look() {
    clearTimeout(timer);
    const begun = typed();
    if (begun === undefined) close();
    else timer = setTimeout(ask, PAUSE_MS, begun);
  }

  area.addEventListener("input", look);
  area.addEventListener("click", look);
  area.addEventListener("blur", close);
  area.addEventListener("keyup", (event) => { if (AWAY.includes(event.key)) look(); });
  area.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen - 1),
      Enter: () => take(chosen),
      Tab: event.shiftKey ? undefined : () => take(chosen),
      Escape: close,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  look();
}
