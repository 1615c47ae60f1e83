"use strict";
// Sorting of tables by their headings. Cells carry data-value; an empty one is unknown and stays last.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const now = heading.getAttribute("aria-sort");
      const first = button.dataset.first || "ascending";
      const order = now ? (now === "ascending" ? "descending" : "ascending") : first;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const numeric = heading.classList.contains("number");
      const value = (row) => row.cells[column].dataset.value || "";
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        return sign * (numeric ? Number(x) - Number(y) : x.localeCompare(y, "en", { sensitivity: "base", numeric: true }));
      };
      body.append(...[...body.rows].sort(compare));
    });
  });
}
// A long table shows its first rows until the reader asks for all; sorting decides which rows come first.
for (const table of document.querySelectorAll("table[data-first-rows]")) {
  const total = table.tBodies[0].rows.length;
  if (total <= Number(table.dataset.firstRows)) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "more";
  const show = (all) => {
    table.classList.toggle("short", !all);
    button.setAttribute("aria-expanded", String(all));
    button.textContent = all ? `Show the first ${table.dataset.firstRows} only` : `Show all ${total}`;
  };
  button.addEventListener("click", () => show(table.classList.contains("short")));
  show(false);
  table.parentElement.after(button);
}
// Folded parts are printed unfolded, and folded again afterwards.
const opened = [];
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.open = true;
    opened.push(part);
  }
});
window.addEventListener("afterprint", () => {
  while (opened.length) opened.pop().open = false;
});
