// What the address names is shown: all users, one user, or one finding of a user. The browser's own history goes back.

const overview = document.getElementById("overview");
const person = document.getElementById("person");
const TITLE = document.title;
let left = { from: null, at: 0 };

function show() {
  const [kind, rest] = split(location.hash);
  const finding = kind === "finding" ? BY_FINGERPRINT.get(rest) : undefined;
  const user = kind === "user" ? BY_KEY.get(rest) : finding && finding.user;
  if (user) return openPerson(user, finding);
  if (!kind && location.hash) return undefined;
  closePerson();
  if (finding) focusOn(`finding-${finding.fingerprint}`);
  else if (kind === "user" || kind === "finding") say("Nothing of that name is on this page");
  return undefined;
}

function split(hash) {
  const [, kind, rest] = hash.match(/^#(user|finding)\/(.*)$/s) || [null, "", ""];
  try {
    return [kind, decodeURIComponent(rest)];
  } catch {
    return [kind, rest];
  }
}

function openPerson(user, finding) {
  if (!overview.hidden) left = { from: user.key, at: scrollY };
  const back = el("a", { href: "#", class: "back" }, "← All users");
  person.replaceChildren(el("nav", { "aria-label": "Back" }, back), ...personView(user, 2).filter(Boolean));
  overview.hidden = true;
  person.hidden = false;
  document.title = `${user.name} · ${TITLE}`;
  scrollTo(0, 0);
  focusOn(finding ? `finding-${finding.fingerprint}` : `user-${user.key}`);
}

function closePerson() {
  if (person.hidden) return;
  person.hidden = true;
  person.replaceChildren();
  overview.hidden = false;
  document.title = TITLE;
  scrollTo(0, left.at);
  const row = [...document.querySelectorAll("#rows tr")].find((each) => each.dataset.user === left.from);
  if (row) row.querySelector("a").focus({ preventScroll: true });
}

function focusOn(id) {
  const target = document.getElementById(id);
  if (!target) return;
  target.focus({ preventScroll: true });
  target.scrollIntoView();
}

// In print there is nothing to open: the open findings stand in full behind the table.
function forPrint(printing) {
  const paper = document.getElementById("paper");
  if (!printing || !person.hidden) {
    paper.replaceChildren();
    return;
  }
  drawMore(true);
  const told_ = hits.filter((user) => user.live.length);
  paper.replaceChildren(el("h2", {}, "Open findings in full"), ...told_.map((user) => el("section", { class: "on-paper" },
    el("h3", {}, user.name, " ", standingPill(user)), el("p", { class: "small break" }, user.arn), user.live.map((one) => findingView(one, 4)))));
  unfold(paper);
}

function unfold(within) {
  for (const one of within.querySelectorAll("details")) one.open = true;
}

function start() {
  for (const one of document.querySelectorAll("[data-needs-script]")) one.hidden = false;
  document.getElementById("account-findings").replaceChildren(...ACCOUNT_FINDINGS.map((one) => findingView(one, 3)));
  document.getElementById("filter-place").append(filters());
  document.getElementById("head").append(headOf());
  const more = document.getElementById("more");
  more.addEventListener("click", () => drawMore());
  new IntersectionObserver((seen) => {
    if (seen.some((each) => each.isIntersecting)) drawMore();
  }, { rootMargin: "600px" }).observe(more);
  for (const button of document.querySelectorAll("[data-standing]")) button.addEventListener("click", () => setFilter("standing", button.dataset.standing));
  for (const button of document.querySelectorAll("[data-device]")) button.addEventListener("click", () => setFilter("device", button.dataset.device));
  for (const button of document.querySelectorAll("[data-control]")) button.addEventListener("click", () => setFilter("control", button.dataset.control));
  refresh(true);
  addEventListener("hashchange", show);
  addEventListener("beforeprint", () => forPrint(true));
  addEventListener("afterprint", () => forPrint(false));
  matchMedia("print").addEventListener("change", (media) => forPrint(media.matches));
  show();
  document.documentElement.dataset.ready = "true";
}

start();
