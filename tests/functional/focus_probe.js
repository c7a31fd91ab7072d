// What a test asks a page about the place that has the focus. Nothing here moves it.
(() => {
  const RING_PX = 2, CONTRAST = 3, SLACK_PX = 1;
  const FOCUSABLE = "a[href], a[*|href], button, input, select, textarea, summary, [tabindex], iframe, [contenteditable]";
  const name = (each) => {
    const said = each.ariaLabel || each.labels?.[0]?.textContent || each.textContent || each.id || "";
    return `${each.localName} ${said.replace(/\s+/g, " ").trim().slice(0, 60)}`;
  };
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  function rgba(color) {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  }
  function luminance(color) {
    const [r, g, b] = rgba(color).map((part) => part / 255).map((part) =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function ground(each) {
    for (let at = each; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgba(color)[3] > 250) return color;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  }
  function contrast(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }
  const ringed = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= RING_PX;
  function ringFaults(each, box) {
    const style = getComputedStyle(each), offset = parseFloat(style.outlineOffset);
    if (!ringed(style)) return ["no ring"];
    const against = contrast(style.outlineColor, ground(offset < 0 ? each : each.parentElement ?? each));
    const faults = against < CONTRAST ? [`a ring of contrast ${against.toFixed(2)}`] : [];
    const more = offset + parseFloat(style.outlineWidth), cut = new Set();
    for (let at = each.parentElement; at && at !== document.body; at = at.parentElement) {
      if (getComputedStyle(at).overflowX === "visible") continue;
      const edge = at.getBoundingClientRect();
      if (box.left - more < edge.left - SLACK_PX) cut.add("left");
      if (box.right + more > edge.right + SLACK_PX) cut.add("right");
      if (box.top - more < edge.top - SLACK_PX) cut.add("top");
      if (box.bottom + more > edge.bottom + SLACK_PX) cut.add("bottom");
    }
    return cut.size > 1 ? [...faults, `a ring cut at its ${[...cut].join(", ")}`] : faults;
  }
  function viewFaults(each) {
    const box = [...each.getClientRects()].find(({ width, height }) => width * height > 0);
    if (!box) return ["no area"];
    const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    if (left >= right || top >= bottom) return ["outside of the screen"];
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const belongs = each.contains(hit) || hit?.closest("label")?.control === each;
    return [...(belongs ? [] : [`covered by ${hit && name(hit)}`]), ...ringFaults(each, box)];
  }
  let before = null;
  window.focusPlace = () => {
    const each = document.activeElement;
    if (!each || each === document.body) return { name: "body", faults: ["the focus is lost"] };
    each.getBoundingClientRect();
    for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish();
    const faults = viewFaults(each);
    if (before && before !== each && before.isConnected && ringed(getComputedStyle(before))) {
      faults.push(`${name(before)} keeps its ring`);
    }
    before = each;
    return { name: name(each), faults };
  };

  let reached = [];
  const isPlace = (each) => each.tabIndex >= 0 && !each.disabled && each.checkVisibility({ visibilityProperty: true })
    && !(each.localName === "summary" && each.parentElement?.querySelector(":scope > summary") !== each);
  function isStandIn(each, all) {  // one radio button of a group is a place
    if (each.type !== "radio") return true;
    const group = all.filter((other) => other.type === "radio" && other.name === each.name && other.form === each.form);
    return (group.find((other) => other.checked) ?? group[0]) === each;
  }
  function places() {
    const all = [...document.querySelectorAll(FOCUSABLE)].filter(isPlace);
    return all.filter((each) => isStandIn(each, all));
  }
  window.startWalk = () => { reached = []; before = null; };
  window.stepWalk = () => {
    const each = document.activeElement;
    if (reached.length > 1 && each === reached[0]) return null;
    if (each === document.body) return { name: "the browser", faults: [] };  // between the last place and the first
    if (reached.at(-1) !== each) reached.push(each);
    return focusPlace();
  };
  window.endWalk = () => {
    const seen = new Set(reached), names = new Set(reached.map(name)), first = places()[0];
    const faults = places().filter((each) => !seen.has(each) && !names.has(name(each)))
      .map((each) => `${name(each)}: not reached by Tab`);
    for (const each of document.querySelectorAll("[tabindex]")) {
      if (each.tabIndex > 0) faults.push(`${name(each)}: a positive tabindex`);
    }
    reached.slice(1).forEach((each, index) => {
      const order = reached[index].compareDocumentPosition(each);
      if (each !== first && order & Node.DOCUMENT_POSITION_PRECEDING && !(order & Node.DOCUMENT_POSITION_DISCONNECTED)) {
        faults.push(`${name(each)}: comes after ${name(reached[index])}`);
      }
    });
    const signedAddress = "/notifications/unsubscribe/";  // needs no session, so no token
    for (const form of document.querySelectorAll("form[method=post]")) {
      if (form.action.includes(signedAddress)) continue;
      if (!form.elements.csrfmiddlewaretoken) faults.push(`${name(form)}: a form without its token`);
    }
    for (const each of document.querySelectorAll("main *")) {
      const { order, flexDirection, display } = getComputedStyle(each);
      if (order !== "0" || (display.includes("flex") && flexDirection.includes("reverse"))) {
        faults.push(`${name(each)}: shown in another order than written`);
      }
    }
    return faults;
  };
})();
