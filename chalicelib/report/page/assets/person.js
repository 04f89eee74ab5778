// One user: where they stand, their doors, and what was found.

function personView(user, level) {
  const groups = DATA.texts[user.groups];
  const unjudged = user.unjudged.map((number) => CONTROLS[number].id);
  const live = user.live.length;
  return [
    el("header", { class: "person-head" },
      el(`h${level}`, { id: `user-${user.key}`, tabindex: "-1", class: "break" }, user.name),
      el("p", { class: "facts" }, standingPill(user), " ", pill(user.device, "device"), " ",
        el("span", { class: "muted" }, live ? `${live} open ${live === 1 ? "finding" : "findings"}` : "nothing open")),
      el("p", { class: "muted small break" }, user.arn, groups.length ? ` · in ${groups.join(", ")}` : " · in no group"),
      el("p", {}, capitalized(STANDINGS[user.standing].meaning), ".")),
    unjudged.length ? notice("doubt", `Not judged by ${unjudged.join(", ")}: see what could not be seen.`) : null,
    el("section", {}, el(`h${level + 1}`, {}, "Doors, and what each opens without MFA"),
      el("ul", { class: "doors" }, DATA.doors[user.doors].map((door) => doorView(door, user, level + 2)))),
    el("section", {}, el(`h${level + 1}`, {}, "Findings"),
      user.findings.length ? user.findings.map((one) => findingView(one, level + 2)) : el("p", {}, "None.")),
  ];
}

function doorView(door, user, level) {
  const ids = user.credentials.filter((one) => DATA.texts[one[0]] === door.door);
  return el("li", { class: `door ${door.open ? "open" : "shut"}` },
    el(`h${level}`, {}, capitalized(door.door)),
    el("p", { class: "state" }, door.state),
    ids.length ? el("p", { class: "small muted break" }, ids.map((one) => `${one[1]}${one[2] ? "" : " (inactive)"}`).join(", ")) : null,
    door.ways.map((way) => el("div", { class: "way" },
      way.by ? el("p", { class: "by small" }, `by ${way.by}`) : null,
      way.rows.length ? el("ul", { class: "opens" }, way.rows.map(([service, what, where]) => el("li", {},
        el("strong", {}, service), " ", coded(told(what, user)), where ? el("span", { class: "muted small break" }, ` ${told(where, user)}`) : null))) : null,
      way.note ? el("p", { class: "small break" }, coded(told(way.note, user))) : null)));
}
