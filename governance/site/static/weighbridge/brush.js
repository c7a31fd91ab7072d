// Rows of a table selected on its chart: a rectangle over the dots, or the box of a row. Selected rows are marked in the
// table, their dots in the chart, and their sums are told. A row and a dot belong together by the address they lead to.
const WHOLE = { minimumFractionDigits: 0, maximumFractionDigits: 0 };

export function brushable(bar, figure, marks) {
  const said = bar.querySelector("[role=status]");
  const [drag, clear] = ["drag", "clear"].map((name) => bar.querySelector(`[data-brush-by=${name}]`));
  const rows = [...document.querySelectorAll(`#${bar.dataset.rows} tbody tr`)].map(withBox);
  const dots = new Map(marks.filter((mark) => mark.matches(".chart-dot")).map((mark) => [mark.closest("a")?.getAttribute("href"), mark]));

  function withBox(row) {
    const link = row.querySelector("a"), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", className: "row-box" });
    box.setAttribute("aria-label", `Select ${link.textContent.trim()}`);
    box.addEventListener("change", update);
    link.before(box);
    return { row, box, path: link.getAttribute("href") };
  }

  function update() {
    for (const { row, box, path } of rows) {
      row.toggleAttribute("data-chosen", box.checked);
      dots.get(path)?.classList.toggle("is-brushed", box.checked);
    }
    const chosen = rows.filter(({ box }) => box.checked);
    clear.disabled = !chosen.length;
    said.textContent = chosen.length ? `${chosen.length} of ${rows.length} selected: ${sum(chosen, "cost")}, ${sum(chosen, "value")}` : "";
  }

  function sum(chosen, name) {
    const known = chosen.map(({ row }) => row.dataset[name]).filter(Boolean).map(Number);
    const unknown = chosen.length - known.length;
    if (!known.length) return `no ${name} known`;
    const total = known.reduce((one, other) => one + other, 0);
    const amount = `${total < 0 ? "\u2212" : ""}$${Math.abs(total).toLocaleString("en-US", WHOLE)}`;
    return `${name} ${amount}${unknown ? ` (${unknown} without)` : ""}`;
  }

  drag.addEventListener("click", () => {
    const isOn = drag.getAttribute("aria-pressed") !== "true";
    drag.setAttribute("aria-pressed", String(isOn));
    figure.toggleAttribute("data-selects", isOn);
  });
  clear.addEventListener("click", () => { for (const { box } of rows) box.checked = false; update(); drag.focus(); });
  figure.addEventListener("brushed", ({ detail }) => {
    const inside = new Set(detail.map((mark) => mark.closest("a")?.getAttribute("href")));
    for (const { box, path } of rows) box.checked = inside.has(path);
    update();
  });
  drag.disabled = false;
}
