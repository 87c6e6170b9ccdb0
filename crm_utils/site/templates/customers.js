// Finds customers by the start of their id, segment, status and value, the most valuable first.
const data = document.getElementById("rows");
const [separator, currency] = [data.dataset.separator, data.dataset.currency];
const rows = data.textContent ? data.textContent.split("\n").map((line) => line.split("\t")) : [];
const options = (name) => [...document.getElementById(name).options].map((option) => option.textContent);
const [segments, statuses] = [options("segment").slice(1), options("status").slice(1)];
const step = 50;
const headings = [...document.querySelectorAll("#found thead th")].map((head) => head.textContent);
let most = step;

function number(text) {
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, separator).replace("-", "−");
}

function cells([id, segment, status, days, orders, revenue, expected, chance]) {
  const money = (text) => (text === "" ? "–" : text[0] === "-" ? "−" + currency + number(text.slice(1)) : currency + number(text));
  const percent = chance === "" ? "–" : Math.round(chance * 100) + "%";
  return [id, segments[segment], statuses[status], number(days), number(orders), money(revenue), money(expected), percent];
}

function found() {
  const value = (name) => document.getElementById(name).value;
  const [text, segment, status] = [value("search").trim().toLowerCase(), value("segment"), value("status")];
  const least = value("least") === "" ? -Infinity : Number(value("least"));
  return rows.filter((row) =>
    row[0].toLowerCase().includes(text)
    && (segment === "" || row[1] === segment)
    && (status === "" || row[2] === status)
    && (least === -Infinity || Number(row[5]) >= least));
}

function show() {
  const all = found();
  const body = document.createElement("tbody");
  for (const row of all.slice(0, most)) {
    const line = body.insertRow();
    cells(row).forEach((text, column) => {
      const cell = document.createElement(column ? "td" : "th");
      if (column) cell.dataset.label = headings[column]; else cell.scope = "row";
      cell.className = column > 2 ? "number" : "text";
      cell.textContent = text;
      line.append(cell);
    });
  }
  document.querySelector("#found tbody").replaceWith(body);
  const shown = Math.min(most, all.length);
  document.getElementById("count").textContent = all.length
    ? `${number(String(all.length))} found${shown < all.length ? `, the ${number(String(shown))} most valuable are shown` : ""}.`
    : "Nobody found.";
  document.getElementById("more").hidden = shown >= all.length;
}

document.getElementById("filters").addEventListener("input", () => { most = step; show(); });
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("more").addEventListener("click", () => { most += step; show(); });
show();
