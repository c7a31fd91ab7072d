// What a drawn chart does beyond its picture: values under the pointer and by keys, series on and off, links to objects.
// The picture, its words and its links come from the server; nothing is drawn a second time here.
const NEAR_PX = 28;

export function enliven(figure) {
  if (figure.dataset.lively) return;
  figure.dataset.lively = "true";
  const image = figure.querySelector(":scope > img");
  if (image) return void takeIn(image);
  const picture = figure.querySelector(".chart-picture");
  const scroll = figure.querySelector(".chart-scroll");
  const marks = [...picture.querySelectorAll("[data-mark]")];
  for (const mark of marks) {
    const title = mark.querySelector("title");
    mark.dataset.mark = title?.textContent ?? "";
    title?.remove();
  }
  const tip = figure.appendChild(document.createElement("div"));
  tip.className = "chart-tip";
  tip.setAttribute("role", "status");
  let read = null;

  let zoom = null;
  const isOn = (mark) => !mark.closest("[data-series]")?.hasAttribute("display");
  const isShown = (mark) => isOn(mark) && !mark.hasAttribute("data-out");
  const center = (mark) => {
    const box = mark.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };

  function show(mark) {
    read?.classList.remove("is-read");
    read = mark;
    tip.textContent = mark?.dataset.mark ?? "";
    if (!mark) return;
    mark.classList.add("is-read");
    const [x, y] = center(mark);
    const frame = figure.getBoundingClientRect();
    const left = Math.min(Math.max(x - frame.x - tip.offsetWidth / 2, 0), frame.width - tip.offsetWidth);
    const above = y - frame.y - tip.offsetHeight - 14;
    tip.style.insetInlineStart = `${Math.max(left, 0)}px`;
    tip.style.insetBlockStart = `${above > 0 ? above : y - frame.y + 18}px`;
  }

  function nearest(event) {
    const direct = event.target.closest?.("[data-mark]");
    if (direct) return direct;
    let best = null, least = NEAR_PX;
    for (const mark of marks) {
      if (!isShown(mark) || !mark.matches(".chart-dot, .chart-stop")) continue;
      const [x, y] = center(mark);
      const distance = Math.hypot(x - event.clientX, y - event.clientY);
      if (distance < least) [best, least] = [mark, distance];
    }
    return best;
  }

  picture.addEventListener("pointermove", (event) => { if (event.buttons) return; const mark = nearest(event); if (mark !== read) show(mark); });
  picture.addEventListener("pointerdown", (event) => show(nearest(event)));
  picture.addEventListener("pointerleave", () => show(null));
  scroll.addEventListener("blur", () => show(null));

  // Keys: arrows read one value after the other, from left to right; Enter opens what the value stands for.
  scroll.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return show(null);
    if (event.key === "Enter") return read?.closest("a")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = marks.filter((mark) => isOn(mark) && !mark.matches(".chart-whisker"));
    const byRows = figure.dataset.rows !== undefined;
    shown.sort((one, other) => byRows ? center(one)[1] - center(other)[1] || center(one)[0] - center(other)[0] : center(one)[0] - center(other)[0]);
    if (!shown.length) return;
    event.preventDefault();
    const at = shown.indexOf(read);
    const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + step, 0), shown.length - 1);
    zoom?.reveal(shown[next]);
    show(shown[next]);
    shown[next].scrollIntoView?.({ block: "nearest", inline: "nearest" });
  });

  // The key: each series can be switched off and on.
  for (const entry of figure.querySelectorAll(".chart-key > li[data-series]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chart-toggle";
    button.setAttribute("aria-pressed", "true");
    button.append(...entry.childNodes);
    entry.append(button);
    button.addEventListener("click", () => {
      const layer = picture.querySelector(`[data-series="${entry.dataset.series}"]`);
      const isLayerOn = layer.toggleAttribute("display") === false;
      if (!isLayerOn) layer.setAttribute("display", "none");
      button.setAttribute("aria-pressed", String(isLayerOn));
      show(null);
      zoom?.update();
    });
  }

  const bar = figure.querySelector(".chart-zoom");
  if (bar) import(bar.dataset.script).then(({ zoomable }) => { zoom = zoomable(figure, { picture, scroll, marks, show }); });
  const brush = document.querySelector(`[data-brush="${figure.id}"]`);
  if (brush) import(brush.dataset.script).then(({ brushable }) => brushable(brush, figure, marks));
}

// A picture of a document becomes part of the page, so that it follows the theme; only shapes and texts are taken over.
const PARTS = new Set(["svg", "g", "path", "rect", "line", "circle", "text", "tspan"]);
const FEATURES = /^(d|x|y|x[12]|y[12]|c[xy]|r|d[xy]|width|height|viewBox|transform|opacity|(fill|stroke|font|text)(-[a-z]+)?)$/;

async function takeIn(image) {
  const answer = await fetch(image.src).catch(() => null);
  if (!answer?.ok) return;
  const text = (await answer.text()).replace(/<style>.*?<\/style>/s, ""); // the policy of the page forbids it, also unseen
  const drawn = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (drawn.localName !== "svg") return;
  const copy = taken(drawn);
  copy.setAttribute("class", "chart-taken");
  copy.setAttribute("role", "img");
  copy.setAttribute("aria-label", image.alt);
  image.replaceWith(copy);
}

function taken(node) {
  const copy = document.createElementNS("http://www.w3.org/2000/svg", node.localName);
  for (const { name, value } of node.attributes) if (FEATURES.test(name) && !value.includes("(#")) copy.setAttribute(name, value);
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copy.append(child.data);
    else if (PARTS.has(child.localName)) copy.append(taken(child));
  }
  return copy;
}
