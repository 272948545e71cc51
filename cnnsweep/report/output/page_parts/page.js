"use strict";
const page = JSON.parse(document.getElementById("data").textContent);
const make = (tag, text) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  return node;
};

// ---- The table of runs: all rows live in memory, fifty of them on the page.
const table = document.getElementById("table");
const rowsPerPage = 50;
const state = { sort: page.sort, down: page.down, at: 0, shown: new Set(page.shown), rows: [] };
// Text that is a number with a unit, such as "10 s" or "1e-3", counts as that number.
const seconds = { ms: 0.001, min: 60, h: 3600 };
const amount = (cell) => {
  if (typeof cell === "number") return cell;
  const parts = typeof cell === "string" ? /^\s*([-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)\s*(%|[a-z]{1,3})?\s*$/i.exec(cell) : null;
  return parts ? Number(parts[1]) * (seconds[parts[4]] || 1) : NaN;
};
const numeric = page.columns.map((_, c) => page.rows.every((r) => r[c] === null || !Number.isNaN(amount(r[c]))));
const lower = page.rows.map((row) => row.map((cell) => (cell === null ? "" : String(cell))).join("\n").toLowerCase());
const signs = {
  "=": (a, b) => a === b, "!=": (a, b) => a !== b,
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
};

function condition(word) {
  const parts = /^([^=<>!]+)(!=|<=|>=|=|<|>)(.*)$/.exec(word);
  const column = parts ? page.columns.indexOf(parts[1]) : -1;
  if (column < 0) return (row, i) => lower[i].includes(word.toLowerCase());
  const [, , sign, typed] = parts;
  const number = typed === "" ? NaN : Number(typed);
  return (row) => {
    const cell = row[column];
    const own = numeric[column] ? amount(cell) : cell;
    if (typeof own === "number" && !Number.isNaN(own) && !Number.isNaN(number)) return signs[sign](own, number);
    if (sign === "=" || sign === "!=") return signs[sign](cell === null ? "null" : String(cell), typed);
    return false;
  };
}

function order(a, b) {
  const x = page.rows[a][state.sort], y = page.rows[b][state.sort];
  if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1; // nothing comes last
  const less = numeric[state.sort] ? amount(x) - amount(y) : String(x).localeCompare(String(y), "en", { numeric: true });
  return (state.down ? -less : less) || a - b;
}

function choose() {
  const words = document.getElementById("filter").value.split(/\s+/).filter(Boolean).map(condition);
  state.rows = [];
  page.rows.forEach((row, i) => { if (words.every((fits) => fits(row, i))) state.rows.push(i); });
  state.rows.sort(order);
  state.at = 0;
  draw();
}

function written(cell, column) {
  if (cell === null) return "–";
  if (typeof cell !== "number") return String(cell);
  if (page.percent.includes(page.columns[column])) return (100 * cell).toFixed(2) + " %";
  if (Number.isInteger(cell)) return String(cell);
  return String(Number(cell.toPrecision(4)));
}

function copying(text) {
  const button = make("button", "copy");
  button.type = "button";
  button.className = "copy";
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(text); } catch {
      const selected = getSelection();
      selected.selectAllChildren(button.previousSibling);
      document.execCommand("copy");
    }
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  };
  return button;
}

function repeating(command) {
  const details = make("details"), code = make("code", command);
  details.className = "again";
  details.append(make("summary", "the same run again"), code);
  return details;
}

function draw(limit = rowsPerPage) {
  const columns = [...state.shown];
  const head = make("tr");
  for (const c of columns) {
    const th = make("th"), button = make("button", page.columns[c]);
    button.type = "button";
    button.onclick = () => {
      state.down = state.sort === c ? !state.down : numeric[c] && !page.smaller.includes(c);
      state.sort = c;
      choose();
      table.querySelectorAll("th button")[columns.indexOf(c)].focus();
    };
    if (!numeric[c]) th.className = "text";
    if (state.sort === c) th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    th.append(button);
    head.append(th);
  }
  table.tHead.replaceChildren(head);
  const body = state.rows.slice(state.at, state.at + limit).map((i) => {
    const tr = make("tr");
    for (const c of columns) {
      const td = make("td");
      if (c === page.folder) {
        const link = make("a", page.rows[i][c]);
        link.href = page.links[i];
        td.className = "folder";
        td.append(link, copying(page.rows[i][c]));
        const command = page.command < 0 ? null : page.rows[i][page.command];
        if (command !== null) td.append(repeating(command));
      } else td.textContent = written(page.rows[i][c], c);
      if (!numeric[c]) td.classList.add("text");
      tr.append(td);
    }
    return tr;
  });
  table.tBodies[0].replaceChildren(...body);
  const total = state.rows.length, last = Math.min(state.at + limit, total);
  document.getElementById("where").textContent = total
    ? `${(state.at + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${total.toLocaleString("en")}`
      + (total < page.rows.length ? ` (${page.rows.length.toLocaleString("en")} runs in all)` : " runs")
    : "no run fits";
  document.getElementById("previous").disabled = state.at === 0;
  document.getElementById("next").disabled = last >= total;
}

document.getElementById("filter").oninput = choose;
document.getElementById("tools").onsubmit = (event) => event.preventDefault();
document.getElementById("previous").onclick = () => { state.at -= rowsPerPage; draw(); };
document.getElementById("next").onclick = () => { state.at += rowsPerPage; draw(); };
page.columns.forEach((name, c) => {
  const label = make("label"), box = make("input");
  box.type = "checkbox";
  box.checked = state.shown.has(c);
  box.onchange = () => { box.checked ? state.shown.add(c) : state.shown.delete(c); draw(); };
  label.append(box, " ", name);
  document.querySelector("#columns div").append(label);
});
choose();

// ---- Figures: drawn when they come into view, in the colours of the page.
const dark = matchMedia("(prefers-color-scheme: dark)");
let printing = false;
const drawn = new Set();

function dressed(layout) {
  const style = getComputedStyle(document.documentElement);
  const ink = printing ? "#000" : style.getPropertyValue("--ink").trim();
  const line = printing ? "#ccc" : style.getPropertyValue("--line").trim();
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: line };
  return {
    ...layout,
    font: { color: ink, family: "system-ui, sans-serif", size: 12 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: style.getPropertyValue("--soft").trim(), activecolor: ink },
    hoverlabel: { bgcolor: style.getPropertyValue("--card").trim(), font: { color: ink } },
    xaxis: { ...layout.xaxis, ...axis },
    yaxis: { ...layout.yaxis, ...axis },
  };
}

function plot(node) {
  const chart = page.charts[Number(node.dataset.chart)];
  const narrow = innerWidth < 700;
  node.style.minHeight = chart.layout.height + "px";
  drawn.add(node);
  return Plotly.react(node, chart.data, dressed(chart.layout), {
    responsive: true, displaylogo: false, displayModeBar: narrow ? false : "hover", scrollZoom: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d"],
  });
}

// Plotly's texts are escaped for it, see plotly_backend.py.
const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

// Below the chart, where it covers nothing; a click hides and shows what it names.
function legend(node) {
  const traces = page.charts[Number(node.dataset.chart)].data;
  const named = traces.map((trace, i) => [trace, i]).filter(([trace]) => trace.name && trace.showlegend !== false && trace.type !== "heatmap" && trace.type !== "contour");
  if (named.length < 2) return;
  const list = make("div");
  list.className = "legend";
  for (const [trace] of named) {
    const entry = make("button"), name = make("span"), line = trace.mode === "lines";
    const marks = { diamond: "◆", "x-thin-open": "×", "circle-open": "○" };
    const sign = make("b", line ? (trace.line.dash ? "┄" : "━") : trace.type === "bar" ? "■" : marks[trace.marker.symbol] || "●");
    sign.style.color = line ? trace.line.color : trace.marker.color;
    name.textContent = unescaped(trace.name);
    entry.type = "button";
    entry.setAttribute("aria-pressed", "true");
    entry.append(sign, name);
    entry.onclick = () => {
      const shown = entry.getAttribute("aria-pressed") !== "true";
      entry.setAttribute("aria-pressed", String(shown));
      const group = traces.map((other, i) => [other, i]).filter(([other]) => (other.legendgroup || other.name) === (trace.legendgroup || trace.name));
      Plotly.restyle(node, { visible: shown }, group.map(([, i]) => i));
    };
    list.append(entry);
  }
  node.after(list);
}

async function start() {
  const packed = document.getElementById("bundle");
  if (!packed) return;
  const bytes = Uint8Array.from(atob(packed.textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = make("script", await new Response(stream).text());
  document.head.append(script);
  packed.remove();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) { seen.unobserve(entry.target); plot(entry.target); }
    }
  }, { rootMargin: "400px" });
  const all = [...document.querySelectorAll(".plot")];
  all.forEach(legend);
  all.forEach((node) => seen.observe(node));
  dark.addEventListener("change", () => drawn.forEach(plot));
  addEventListener("beforeprint", () => { printing = true; all.forEach(plot); draw(500); });
  addEventListener("afterprint", () => { printing = false; drawn.forEach(plot); draw(); });
}
const ready = start();

// ---- While it is watched the page reloads itself, and what the reader has chosen stays.
const reload = Number(document.documentElement.dataset.reload);
const folds = () => [...document.querySelectorAll("details")].slice(0, 100);
const filter = document.getElementById("filter");

function remember() {
  history.replaceState({
    y: scrollY, filter: filter.value, typing: document.activeElement === filter, sort: page.columns[state.sort],
    down: state.down, at: state.at, shown: [...state.shown].map((c) => page.columns[c]), open: folds().map((node) => node.open),
  }, "");
}

function recall(kept) {
  filter.value = kept.filter;
  const sort = page.columns.indexOf(kept.sort);
  if (sort >= 0) { state.sort = sort; state.down = kept.down; }
  state.shown = new Set(kept.shown.map((name) => page.columns.indexOf(name)).filter((c) => c >= 0));
  document.querySelectorAll("#columns input").forEach((box, c) => { box.checked = state.shown.has(c); });
  choose();
  if (kept.at < state.rows.length) { state.at = kept.at; draw(); }
  folds().forEach((node, i) => { if (i < kept.open.length) node.open = kept.open[i]; });
  if (kept.typing) filter.focus({ preventScroll: true });
  scrollTo({ top: kept.y, behavior: "instant" });
}

if (history.state && history.state.shown) recall(history.state);
if (reload > 0) {
  history.scrollRestoration = "manual";
  document.getElementById("watch").append(`; this page reloads itself every ${reload} s`);
  const again = () => { remember(); location.reload(); };
  setInterval(() => { if (!document.hidden) again(); }, 1000 * reload);
}
