// A heading's button sorts a long table: first numbers from the largest and text from A, then reversed, then unsorted.
const missing = "–";
const date = /^(\d{1,2} )?[A-Z][a-z]+ \d{4}\b/;

function value(text, isNumber) {
  if (isNumber) return parseFloat(text.replace("−", "-").replace(/[^\d.-]/g, ""));
  if (!date.test(text)) return text;
  const day = Date.parse(/^\d/.test(text) ? text : "1 " + text);
  return Number.isNaN(day) ? text : day;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

function sort(table, head, column, original) {
  const isNumber = head.classList.contains("number");
  const turns = isNumber ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
  const now = turns[(turns.indexOf(head.getAttribute("aria-sort") || "none") + 1) % 3];
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  if (now !== "none") head.setAttribute("aria-sort", now);
  const text = (row) => row.cells[column].textContent.trim();
  const [known, unknown] = [(row) => text(row) !== missing, (row) => text(row) === missing];
  const sorted = original.filter(known).sort((one, other) => {
    const order = compare(value(text(one), isNumber), value(text(other), isNumber));
    return now === "descending" ? -order : order;
  });
  table.tBodies[0].append(...(now === "none" ? original : [...sorted, ...original.filter(unknown)]));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const original = [...table.tBodies[0].rows];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head, column, original));
    head.append(button);
  });
}
