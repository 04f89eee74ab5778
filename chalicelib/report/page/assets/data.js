"use strict";
// The data of the page, as objects. Texts of a user hold two private characters for the user's ARN and name.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const [ARN, NAME] = ["\ue000", "\ue001"];

const CONTROLS = DATA.controls.map(([id, title, why, fix]) => ({ id, title, why, fix }));
const STANDINGS = DATA.standings.map(([word, meaning]) => ({ word, meaning }));

function findingOf([fingerprint, control, severity, state, content], user) {
  const known = CONTROLS[control] || { id: "", title: "", why: "", fix: "" };
  return { fingerprint, control: known, severity, rank: SEVERITIES.indexOf(severity), state, content, user };
}

const USERS = DATA.users.map((row) => {
  const [name, arn, key, standing, device, groups, credentials, unread, doors, findings, unjudged] = row;
  const user = { name, arn, key, standing, device, groups, credentials, unread, doors, unjudged };
  user.findings = findings.map((one) => findingOf(one, user));
  user.live = user.findings.filter((one) => one.state === "open");
  user.worst = user.live.reduce((rank, one) => Math.min(rank, one.rank), SEVERITIES.length);
  return user;
});
const ACCOUNT_FINDINGS = DATA.findings.map((one) => findingOf(one, null));
const BY_KEY = new Map(USERS.map((user) => [user.key, user]));
const BY_FINGERPRINT = new Map();
for (const one of ACCOUNT_FINDINGS) BY_FINGERPRINT.set(one.fingerprint, one);
for (const user of USERS) for (const one of user.findings) BY_FINGERPRINT.set(one.fingerprint, one);

// A text with the user's own names in it.
function told(text, user) {
  return user ? text.split(ARN).join(user.arn).split(NAME).join(user.name) : text;
}

// What can be searched for of a user, made when somebody searches.
function haystack(user) {
  if (user.haystack === undefined) {
    const parts = [user.name, user.arn, ...DATA.texts[user.groups], ...user.credentials.map((one) => one[1])];
    for (const one of user.findings) {
      const content = DATA.contents[one.content];
      parts.push(one.control.id, one.control.title, one.fingerprint, told(content.what || "", user));
      if (content.witness) parts.push(content.witness.action, told(content.witness.resource, user));
      for (const step of content.steps || []) parts.push(told(step.policy, user), step.sid);
    }
    user.haystack = parts.join("\n").toLowerCase();
  }
  return user.haystack;
}
