// The table of users and controls: searched, filtered and sorted in memory, drawn a chunk at a time.

const CHUNK = 60;
const SORTS = {
  severity: { label: "severity", order: (a, b) => a.worst - b.worst || b.live.length - a.live.length },
  name: { label: "name", order: () => 0 },
  standing: { label: "standing", order: (a, b) => a.standing - b.standing },
  device: { label: "device", order: (a, b) => DEVICES.indexOf(a.device) - DEVICES.indexOf(b.device) },
};
const DEVICES = ["no device", "not read", "has a device"];
const COLUMNS = CONTROLS.map((control, number) => ({ ...control, number })).filter((control) =>
  USERS.some((user) => user.findings.some((one) => one.control.id === control.id) || user.unjudged.includes(control.number)));

const view = { query: "", standing: "", severity: "", control: "", state: "", device: "", sort: "severity", down: false };
let hits = [];
let drawn = 0;

function fits(one) {
  if (view.state && one.state !== view.state) return false;
  if (view.control && one.control.id !== view.control) return false;
  return !view.severity || one.severity === view.severity;
}

function matches(user) {
  if (view.standing && STANDINGS[user.standing].word !== view.standing) return false;
  if (view.device && user.device !== view.device) return false;
  if ((view.severity || view.control || view.state) && !user.findings.some(fits)) return false;
  return view.query.split(/\s+/).every((word) => !word || haystack(user).includes(word));
}

function refresh(quietly) {
  const order = SORTS[view.sort].order;
  const sign = view.down ? -1 : 1;
  hits = USERS.filter(matches).sort((a, b) => sign * order(a, b) || (view.sort === "name" ? sign : 1) * byName(a, b));
  const body = document.getElementById("rows");
  body.replaceChildren();
  drawn = 0;
  drawMore();
  const findings = hits.reduce((sum, user) => sum + user.findings.filter(fits).length, 0);
  const text = `${count(hits.length, "user")} of ${count(USERS.length)}, ${count(findings, "finding")}`;
  document.getElementById("hits").textContent = text;
  if (!quietly) say(text);
  for (const [key, header] of headers) header.setAttribute("aria-sort", key !== view.sort ? "none" : view.down ? "descending" : "ascending");
  for (const button of document.querySelectorAll("[data-standing]")) button.setAttribute("aria-pressed", String(view.standing === button.dataset.standing));
  document.querySelector("[data-device]").setAttribute("aria-pressed", String(view.device !== ""));
}

function byName(a, b) {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function count(number, thing) {
  const text = number.toLocaleString("en");
  return thing ? `${text} ${thing}${number === 1 ? "" : "s"}` : text;
}

function drawMore(all) {
  const next = hits.slice(drawn, all ? undefined : drawn + CHUNK);
  document.getElementById("rows").append(...next.map(rowOf));
  drawn += next.length;
  const more = document.getElementById("more");
  more.hidden = drawn >= hits.length;
  more.textContent = `Show ${Math.min(CHUNK, hits.length - drawn)} more of ${count(hits.length - drawn)}`;
  document.getElementById("none").hidden = hits.length > 0;
}

function rowOf(user) {
  return el("tr", { role: "row", "data-user": user.key },
    el("th", { scope: "row", role: "rowheader", class: "break" }, userLink(user)),
    el("td", { role: "cell" }, standingPill(user)),
    el("td", { role: "cell", class: `device-cell ${user.device === "no device" ? "lacks" : ""}` }, user.device),
    COLUMNS.map((control) => cellOf(user, control)));
}

function cellOf(user, control) {
  const found = user.findings.filter((one) => one.control.id === control.id);
  if (!found.length) {
    const unknown = user.unjudged.includes(control.number);
    return el("td", { role: "cell", class: unknown ? "hit" : "nothing", "data-label": control.id },
      unknown ? el("span", { class: "pill unknown", title: "not judged" }, "?", el("span", { class: "hidden" }, " not judged")) : el("span", { "aria-hidden": "true" }, "·"));
  }
  const one = found.find((each) => each.state === "open") || found[0];
  const word = one.state === "open" ? one.severity : one.state;
  const more = found.length > 1 ? ` ×${found.length}` : "";
  return el("td", { role: "cell", class: "hit", "data-label": control.id },
    el("a", { class: `pill ${word}`, href: `#finding/${one.fingerprint}` }, word, more));
}

// --- controls --------------------------------------------------------------------------------------------------------

const headers = new Map();

function headOf() {
  const sortable = [["name", "User"], ["standing", "Standing"], ["device", "Device"]].map(([key, label]) => {
    const button = el("button", { type: "button", class: "sort" }, label);
    button.addEventListener("click", () => sortBy(key));
    const header = el("th", { scope: "col", role: "columnheader", "aria-sort": "none" }, button);
    headers.set(key, header);
    return header;
  });
  return el("tr", { role: "row" }, sortable, COLUMNS.map((control) =>
    el("th", { scope: "col", role: "columnheader", class: "upright", title: control.title }, el("span", {}, control.id))));
}

function sortBy(key) {
  view.down = view.sort === key ? !view.down : false;
  view.sort = key;
  document.getElementById("sort").value = key;
  refresh();
}

function choice(id, label, options, key) {
  const select = el("select", { id }, options.map(([value, text]) => el("option", { value }, text)));
  select.addEventListener("change", () => {
    view[key] = select.value;
    if (key === "sort") view.down = false;
    refresh();
  });
  return el("label", { for: id }, el("span", {}, label), select);
}

function filters() {
  const search = el("input", { id: "search", type: "search", autocomplete: "off", spellcheck: "false", "aria-describedby": "hits" });
  let waiting = 0;
  search.addEventListener("input", () => {
    view.query = search.value.toLowerCase();
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 120);
  });
  const any = ["", "any"];
  const same = (words) => [any, ...words.map((word) => [word, word])];
  const clear = el("button", { type: "reset" }, "Clear");
  const form = el("form", { id: "filters", role: "search", "aria-label": "Users and findings" },
    el("label", { for: "search", class: "wide" }, el("span", {}, "Search names, policies, actions"), search),
    choice("standing", "Standing", same(STANDINGS.map((one) => one.word)), "standing"),
    choice("severity", "Severity", same(SEVERITIES), "severity"),
    choice("control", "Control", same(COLUMNS.map((one) => one.id)), "control"),
    choice("state", "Status", same(["open", "accepted", "suppressed"]), "state"),
    choice("device", "Device", same(DEVICES), "device"),
    choice("sort", "Sort by", Object.entries(SORTS).map(([key, one]) => [key, one.label]), "sort"),
    clear);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    Object.assign(view, { query: "", standing: "", severity: "", control: "", state: "", device: "", sort: "severity", down: false });
    setTimeout(refresh, 0);
  });
  return form;
}

function setFilter(key, value) {
  view[key] = view[key] === value ? "" : value;
  document.getElementById(key).value = view[key];
  refresh();
  document.getElementById("users").scrollIntoView();
}
