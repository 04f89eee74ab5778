// A finding: what it says, the path that leads there, Git's hops, the witness, and the fix.

function findingView(one, level) {
  const content = DATA.contents[one.content];
  const user = one.user;
  const say_ = (text) => told(text || "", user);
  const heading = el(`h${level}`, { id: `finding-${one.fingerprint}`, tabindex: "-1" },
    pill(one.severity), " ", one.control.title);
  const box = el("article", { class: `finding ${one.severity} ${one.state}`, "aria-labelledby": `finding-${one.fingerprint}` },
    heading,
    one.state === "open" ? null : notice("accepted", one.state === "suppressed"
      ? "Suppressed: somebody has accepted it until a date that the ledger has."
      : `Accepted by the settings: ${say_(content.accepted)}`),
    el("p", { class: "what" }, say_(content.what)),
    user ? null : el("p", { class: "muted small break" }, say_(content.resource)),
    content.why ? el("p", { class: "why" }, say_(content.why)) : null,
    (content.doubts || []).length ? notice("doubt", `Uncertain: ${content.doubts.map(say_).join("; ")}`) : null,
    content.hops ? hopsView(content, user, level + 1) : null,
    content.steps ? part(level + 1, "The path that leads there", content.steps.map((step) => pathView(step, user))) : null,
    content.guard ? part(level + 1, "The deny that does not stop it", content.guard.map((step) => pathView(step, user, true))) : null,
    content.roles ? part(level + 1, "Roles on the way", content.roles.map((path) => chain(path.map((role) => ["role", say_(role)]), user))) : null,
    content.witness ? witnessView(content, user, level + 1) : null,
    fixView(one, content, user, level + 1),
    el("p", { class: "meta small muted break" }, `${one.control.id} ${one.fingerprint} `, findingLink(one, "link to this finding")));
  return box;
}

function part(level, title, ...children) {
  return el("section", { class: "part" }, el(`h${level}`, {}, title), children);
}

function notice(kind, text) {
  return el("p", { class: `notice ${kind}` }, text);
}

// Boxes with arrows between them: a list, so that it reads in order by ear as well.
function chain(steps, user) {
  const first = user ? [["user", user.name]] : [];
  return el("ol", { class: "path" }, [...first, ...steps].map(([kind, text, kid, tone]) =>
    el("li", { class: `node ${tone || ""}` }, el("span", { class: "kind" }, kind), named(text), kid)));
}

// Of an ARN its last part is what a reader looks for.
function named(text) {
  const arn = text.match(/^arn:[^/]*\/(.*)$/s);
  const short = arn && arn[1] ? arn[1].slice(arn[1].lastIndexOf("/") + 1) || arn[1] : text;
  return [el("span", { class: "name break" }, short), arn ? el("span", { class: "arn break" }, text) : null];
}

function pathView(step, user, spared) {
  const group = step.group ? [["group", told(step.group, user)]] : [];
  const lines = DATA.texts[step.text];
  const text = lines.length ? statementText(lines, step, user) : null;
  const does = `${spared ? "Deny that is not met" : step.effect}, statement ${step.index}`;
  const label = step.sid ? `“${told(step.sid, user)}”` : "without a Sid";
  return chain([...group, [step.how || step.layer, told(step.policy, user)],
    [does, label, text, spared ? "spared" : step.effect.toLowerCase()]],
  // What is attached to a key, a role or the organisation does not come by way of the user.
  step.how ? user : null);
}

function statementText(lines, step, user) {
  return el("details", { class: "statement" }, el("summary", {}, "What it says"),
    el("pre", { tabindex: "0", role: "group", "aria-label": `Statement ${step.index}` }, lines.map((line) => told(line, user)).join("\n")));
}

function hopsView(content, user, level) {
  const works = content.hops.every((hop) => hop.decision === "Allowed");
  const nodes = content.hops.map((hop) => {
    const service = hop.action.startsWith("kms:") ? "KMS, asked by CodeCommit for the user" : "CodeCommit";
    const allowed = hop.decision === "Allowed";
    const verdict = pill(allowed ? "allowed" : "denied");
    return [service, hop.action, verdict, allowed ? "allow" : "deny"];
  });
  const end = works ? ["in the end", "Git works without MFA", null, "allow"] : ["in the end", "Git fails", null, "deny"];
  return part(level, "Git’s hops", chain([...nodes, end], user),
    content.hops.map((hop) => el("div", { class: "hop" },
      el("p", {}, pill(hop.decision === "Allowed" ? "allowed" : "denied"), " ", el("code", {}, hop.action), " on ",
        el("code", { class: "break" }, told(hop.resource, user)), `: ${told(hop.reason, user)}`),
      hop.statements.map((step) => pathView(step, user)))));
}

const MFA_WORDS = {
  absent: "absent: a long-term credential says nothing of MFA",
  false: "“false”: a session without MFA, or a service acting for the user",
};

function witnessView(content, user, level) {
  const { action, resource, mfa, context, command } = content.witness;
  const rows = [["action", action], ["resource", told(resource, user)], ["aws:MultiFactorAuthPresent", MFA_WORDS[mfa] || mfa],
    ...context.map(([key, value]) => [told(key, user), told(value, user)])];
  return part(level, "The witness: a request that AWS would allow",
    el("dl", { class: "request" }, rows.map(([key, value]) => el("div", {}, el("dt", { class: "break" }, key), el("dd", { class: "break" }, value)))),
    el("p", { class: "small muted" }, "Decide it again, with --snapshot and a file or with credentials for the account:"),
    copyable(told(command, user), "the command that decides the witness"));
}

function fixView(one, content, user, level) {
  const fixes = (content.fixes || []).map((fix) => el("div", { class: "fix" },
    el("p", {}, el("strong", {}, `${fix.kind}: `), told(fix.text, user)), DATA.texts[fix.diff].length ? diffView(DATA.texts[fix.diff], user) : null));
  const commands = content.commands ? copyable(content.commands.map((line) => told(line, user)).join("\n"), "the commands to use Git with MFA") : null;
  return part(level, "The fix", el("p", {}, coded(one.control.fix)), fixes,
    commands ? [el("p", { class: "small muted" }, "Meanwhile, Git with MFA:"), commands] : null,
    content.remediate ? [el("p", { class: "small muted" }, "Plan it, with proof and diff; nothing is changed by that:"),
      copyable(told(content.remediate, user), "the command that plans a repair")] : null);
}

function diffView(lines, user) {
  const kinds = { "+": "added", "-": "removed", "@": "place" };
  return el("pre", { class: "diff", tabindex: "0", role: "group", "aria-label": "The change, line by line" },
    lines.map((line) => el("span", { class: /^(---|\+\+\+) /.test(line) ? "place" : kinds[line[0]] || "same" }, `${told(line, user)}\n`)));
}
