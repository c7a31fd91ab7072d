// Zoom of a drawn chart: a part of its scales fills the plot. Places are computed from the scales that the picture
// carries (data-zoom), and ticks are set anew for them, so that a mark lies where the ticks say it does. In paths,
// capital commands hold places and small ones sizes: only places move. Reset restores what the server drew.
const STEPS = [1, 2, 2.5, 5, 10], TICKS = 6, LETTER = 6.8, NEAREST = 1e-3, DRAG_PX = 8;
const IN = 2 / 3, OUT = 3 / 2, WHEEL = 0.85, PAN = 0.2;
const SIDES = [[9, 4, "start"], [-9, 4, "end"], [0, -11, "middle"], [0, 19, "middle"]];
const PLACES = /([MLHV])\s*(-?[\d.]+)(?:[\s,]+(-?[\d.]+))?/g;
const ARROWS = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowDown: ["y", -1], ArrowUp: ["y", 1] };

export function zoomable(figure, { picture, scroll, marks, show }) {
  const axes = JSON.parse(picture.dataset.zoom);
  const full = Object.fromEntries(Object.entries(axes).map(([name, axis]) => [name, [axis.first, axis.last]]));
  const bar = figure.querySelector(".chart-zoom"), said = bar.querySelector("[role=status]");
  const drawn = new Map();
  let ranges = full, added = [], brush = null, hasDragged = false;

  const isZoomed = () => ranges !== full;
  const pixels = (name, value) => {
    const { from, to } = axes[name], [low, high] = ranges[name];
    return from + (value - low) / (high - low) * (to - from);
  };
  const value = (name, pixel, [low, high]) => low + (pixel - axes[name].from) / (axes[name].to - axes[name].from) * (high - low);
  // Where a place of the server's drawing lies now.
  const moved = (name, pixel) => axes[name] ? Math.round(pixels(name, value(name, Number(pixel), full[name])) * 10) / 10 : Number(pixel);
  const isInside = (name, pixel) => {
    if (!axes[name]) return true;
    const { from, to } = axes[name];
    return pixel >= Math.min(from, to) - 0.05 && pixel <= Math.max(from, to) + 0.05;
  };
  const movedPath = (path, only = "xy") => path.replace(PLACES, (_, command, one, two) => {
    const x = (pixel) => only.includes("x") ? moved("x", pixel) : pixel, y = (pixel) => only.includes("y") ? moved("y", pixel) : pixel;
    return command === "H" ? `H${x(one)}` : command === "V" ? `V${y(one)}` : `${command}${x(one)} ${y(two)}`;
  });

  function set(part, name, text) {
    if (!drawn.has(part)) drawn.set(part, {});
    const before = drawn.get(part);
    if (!(name in before)) before[name] = part.getAttribute(name);
    if (text === null) part.removeAttribute(name);
    else part.setAttribute(name, text);
  }
  const original = (part, name) => drawn.get(part)?.[name] ?? part.getAttribute(name);

  function restore() {
    for (const [part, before] of drawn) {
      for (const [name, text] of Object.entries(before)) {
        if (text === null) part.removeAttribute(name);
        else part.setAttribute(name, text);
      }
    }
    drawn.clear();
    for (const part of added) part.remove();
    added = [];
  }

  function place(part) {
    const at = original(part, "transform")?.match(/-?[\d.]+/g);
    if (at) return [moved("x", at[0]), moved("y", at[1])];
    const xs = [], ys = [];
    for (const [, command, one, two] of original(part, "d").matchAll(PLACES)) {
      if (command !== "V") xs.push(moved("x", one));
      if (command !== "H") ys.push(moved("y", command === "V" ? one : two));
    }
    return [xs, ys].map((all) => (Math.min(...all) + Math.max(...all)) / 2);
  }

  function redraw() {
    picture.querySelectorAll("[data-clip]").forEach((part) => set(part, "clip-path", `url(#${figure.id}-plot)`));
    for (const part of picture.querySelectorAll("[data-clip] path:not(pattern *)")) {
      if (original(part, "transform")) set(part, "transform", `translate(${place(part).join(" ")})`);
      else set(part, "d", movedPath(original(part, "d")));
    }
    for (const mark of marks) {
      if (!mark.closest("[data-clip]")) continue;
      const [x, y] = place(mark);
      set(mark, "data-out", isInside("x", x) && isInside("y", y) ? null : "");
    }
    for (const part of picture.querySelectorAll("[data-at]")) moveLine(part, part.dataset.at);
    for (const name of Object.keys(axes)) setTicks(name);
    setLabels();
  }

  // Lines of limits and their names move; grid and ticks of the server give way to those of the range.
  function moveLine(part, name) {
    if (!axes[name]) return;
    if (part.matches(".chart-grid, .chart-tick")) return set(part, "display", "none");
    const [x, y] = part.localName === "text" ? [original(part, "x"), original(part, "y")] : original(part, "d").match(/-?[\d.]+/g);
    const pixel = moved(name, name === "x" ? x : y);
    if (part.localName === "text") set(part, name, pixel);
    else set(part, "d", movedPath(original(part, "d"), name));
    set(part, "display", isInside(name, pixel) ? null : "none");
  }

  function setTicks(name) {
    const { left, right, top, base } = plot();
    if (name === "x") add("path", { class: "chart-grid", d: `M${left} ${top}H${right}V${base}H${left}z` }, picture.firstElementChild);
    for (const [at, text] of ticksOf(axes[name], ranges[name])) {
      const pixel = Math.round(pixels(name, at) * 10) / 10;
      const path = name === "x" ? `M${pixel} ${top}V${base}` : `M${left} ${pixel}H${right}`;
      if (!axes[name].isNames) add("path", { class: "chart-grid", d: path }, picture.firstElementChild);
      const where = name === "x" ? { x: pixel, y: base + 16, "text-anchor": "middle" } : { x: left - 8, y: pixel + 4, "text-anchor": "end" };
      add("text", { class: "chart-text chart-tick", ...where, "data-value": at }, picture).textContent = text;
    }
  }

  function add(kind, attributes, parent) {
    const part = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, text] of Object.entries(attributes)) part.setAttribute(name, text);
    added.push(part);
    return parent.appendChild(part);
  }

  function plot() {
    const box = picture.querySelector("clipPath rect");
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(box.getAttribute(name)));
    return { left: x, top: y, right: x + width, base: y + height };
  }

  // Names beside dots: each beside its dot, where it covers no dot and no other name; also those left out before.
  function setLabels() {
    const { left, right, top, base } = plot();
    const isShown = (part) => !part.closest("[data-series]").hasAttribute("display");
    const boxes = marks.filter((mark) => mark.matches(".chart-dot") && isShown(mark) && !mark.hasAttribute("data-out")).map((mark) => {
      const [x, y] = place(mark);
      return [x - 6, y - 6, x + 6, y + 6];
    });
    for (const text of picture.querySelectorAll("[data-series] text")) {
      const x = moved("x", original(text, "x")), y = moved("y", original(text, "y")), wide = text.textContent.trim().length * LETTER;
      const room = ([dx, dy, align]) => {
        const start = x + dx - { start: 0, end: wide, middle: wide / 2 }[align];
        return [start, y + dy - 11, start + wide, y + dy + 2];
      };
      const isFree = ([l, t, r, b]) => l >= left && r <= right && t >= top && b <= base && !boxes.some((box) => l < box[2] && r > box[0] && t < box[3] && b > box[1]);
      const side = isInside("x", x) && isInside("y", y) && isShown(text) ? SIDES.find((each) => isFree(room(each))) : null;
      set(text, "display", side ? null : "none");
      if (!side) continue;
      for (const [name, number] of Object.entries({ x, y, dx: side[0], dy: side[1], "text-anchor": side[2] })) set(text, name, number);
      boxes.push(room(side));
    }
  }

  function say() {
    const counted = marks.filter((mark) => mark.closest("[data-series]:not([display])") && !mark.matches(".chart-whisker"));
    const inside = counted.filter((mark) => !mark.hasAttribute("data-out"));
    said.textContent = isZoomed() ? `Zoomed: ${inside.length} of ${counted.length} points shown` : "";
    figure.toggleAttribute("data-zoomed", isZoomed());
  }

  function go(wanted) {
    const next = {};
    for (const [name, [low, high]] of Object.entries(wanted)) {
      const [first, last] = full[name], least = axes[name].isNames ? 2 : (last - first) * NEAREST;
      const span = Math.min(Math.max(high - low, least), last - first);
      const start = Math.min(Math.max((low + high - span) / 2, first), last - span);
      next[name] = span > (last - first) * (1 - 1e-6) ? [first, last] : [start, start + span];
    }
    const isFull = Object.keys(full).every((name) => next[name][0] === full[name][0] && next[name][1] === full[name][1]);
    ranges = isFull ? full : next;
    show(null);
    if (isFull) restore();
    else { for (const part of added) part.remove(); added = []; redraw(); }
    say();
  }

  const every = (change) => go(Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, change(name, range)])));
  const by = (factor, about = {}) => every((name, [low, high]) => {
    const center = about[name] ?? (low + high) / 2;
    return [center - (center - low) * factor, center + (high - center) * factor];
  });
  const pan = (axis, step) => every((name, [low, high]) => {
    const way = name === axis ? Math.min(Math.max(step * (high - low), full[name][0] - low), full[name][1] - high) : 0;
    return [low + way, high + way];
  });
  const reset = () => go(full);
  const ACTS = { in: () => by(IN), out: () => by(OUT), all: reset };

  for (const button of bar.querySelectorAll("button")) {
    button.disabled = false;
    button.addEventListener("click", ACTS[button.dataset.zoomBy]);
  }
  const KEYS = { "+": ACTS.in, "=": ACTS.in, "-": ACTS.out, 0: reset };
  scroll.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== scroll) return;
    const arrow = event.shiftKey ? ARROWS[event.key] : null;
    const act = arrow ? () => isZoomed() && pan(arrow[0], arrow[1] * PAN) : event.key === "Escape" && brush ? cancel : KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }, { capture: true });

  const at = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    return { x: point.x, y: point.y };
  };
  // The wheel alone scrolls the page; with Ctrl it zooms the chart, unless there is nothing left to zoom out of.
  picture.addEventListener("wheel", (event) => {
    const isIn = event.deltaY < 0, point = at(event);
    if (!event.ctrlKey || !event.deltaY || (!isIn && !isZoomed())) return;
    event.preventDefault();
    by(isIn ? WHEEL : 1 / WHEEL, Object.fromEntries(Object.keys(axes).map((name) => [name, value(name, point[name], ranges[name])])));
  }, { passive: false });

  // A range drawn with the mouse.
  const cancel = () => { brush?.part?.remove(); brush = null; };
  picture.addEventListener("dragstart", (event) => event.preventDefault());
  picture.addEventListener("click", (event) => { if (hasDragged) { event.preventDefault(); event.stopPropagation(); } }, { capture: true });
  picture.addEventListener("pointerdown", (event) => {
    hasDragged = false;
    const start = at(event), { left, right, top, base } = plot();
    const isOnPlot = start.x >= left && start.x <= right && start.y >= top && start.y <= base;
    if (event.button === 0 && event.pointerType === "mouse" && isOnPlot) brush = { start };
  });
  picture.addEventListener("pointermove", (event) => {
    if (!brush) return;
    const box = boxTo(event);
    if (!brush.part) {
      if (Math.max(box.width, box.height) < DRAG_PX) return;
      show(null);
      scroll.focus({ preventScroll: true });
      picture.setPointerCapture(event.pointerId);
      brush.part = add("rect", { class: "chart-brush" }, picture);
    }
    const { left, right, top, base } = plot();
    const drawnBox = { ...box, ...(box.has.y ? {} : { y: top, height: base - top }), ...(box.has.x ? {} : { x: left, width: right - left }) };
    for (const name of ["x", "y", "width", "height"]) brush.part.setAttribute(name, drawnBox[name]);
  });
  picture.addEventListener("pointerup", (event) => {
    if (!brush?.part) return cancel();
    const box = boxTo(event);
    hasDragged = true;
    cancel();
    if (figure.hasAttribute("data-selects")) figure.dispatchEvent(new CustomEvent("brushed", { detail: dotsIn(box) }));
    else if (box.has.x || box.has.y) every((name, range) => {
      if (!box.has[name]) return range;
      const [one, other] = name === "x" ? [box.x, box.x + box.width] : [box.y, box.y + box.height];
      return [value(name, one, range), value(name, other, range)].sort((a, b) => a - b);
    });
  });
  picture.addEventListener("pointercancel", cancel);
  const dotsIn = ({ x, y, width, height, has }) => marks.filter((mark) => {
    if (!mark.matches(".chart-dot") || mark.hasAttribute("data-out") || mark.closest("[data-series][display]")) return false;
    const [left, top] = place(mark);
    return (!has.x || (left >= x && left <= x + width)) && (!has.y || (top >= y && top <= y + height));
  });
  function boxTo(event) {
    const { left, right, top, base } = plot(), end = at(event), { start } = brush;
    const x = Math.min(Math.max(end.x, left), right), y = Math.min(Math.max(end.y, top), base);
    const width = Math.abs(x - start.x), height = Math.abs(y - start.y);
    const has = { x: Boolean(axes.x) && width >= DRAG_PX, y: Boolean(axes.y) && height >= DRAG_PX };
    return { x: Math.min(x, start.x), y: Math.min(y, start.y), width, height, has };
  }

  // A value that is read with the keys comes into the range.
  function reveal(mark) {
    if (!mark.hasAttribute("data-out")) return;
    const [x, y] = place(mark), point = { x, y };
    every((name, [low, high]) => {
      if (isInside(name, point[name])) return [low, high];
      const center = value(name, point[name], [low, high]);
      return [center - (high - low) / 2, center + (high - low) / 2];
    });
  }
  return { reveal, update: () => { if (isZoomed()) setLabels(); say(); } };
}

// The ticks of a range: names or days as many as have room, or round numbers with the digits that tell them apart.
export function ticksOf(axis, [low, high]) {
  const room = (texts, every) => Math.max(1, Math.ceil((Math.max(...texts.map((text) => text.length), 0) * LETTER + 10) / every));
  if (axis.ticks) {
    const inside = axis.ticks.filter(([at]) => at >= low && at <= high);
    const nth = room(inside.map(([, text]) => text), Math.abs(axis.to - axis.from) / (high - low));
    return inside.filter(([at]) => Math.round(at) % nth === 0);
  }
  const rough = (high - low) / TICKS, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * STEPS.find((each) => each * power >= rough * (1 - 1e-9));
  const numbers = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) numbers.push(index * step);
  const texts = numbers.map((number) => tickWords(number, step, axis.unit)), isAcross = axis.to > axis.from;
  const nth = isAcross ? room(texts, Math.abs(axis.to - axis.from) / (high - low) * step) : 1;
  return numbers.map((number, index) => [number, texts[index]]).filter(([number]) => Math.round(number / step) % nth === 0);
}

function tickWords(number, step, unit) {
  const factor = unit === "ratio" ? 100 : 1;
  let decimals = 0;
  while (decimals < 12 && Math.abs(step * factor * 10 ** decimals - Math.round(step * factor * 10 ** decimals)) > 1e-6) decimals += 1;
  const size = Math.abs(number * factor).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return `${number < -step / 2 ? "\u2212" : ""}${unit === "USD" ? "$" : ""}${size}${unit === "ratio" ? "\u00a0%" : ""}`;
}
