// Elements are made of names, attributes and texts: nothing that AWS told is ever read as markup.

function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// What stands between backticks is code.
function coded(text) {
  return text.split("`").map((part, number) => (number % 2 ? el("code", {}, part) : part));
}

function capitalized(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function pill(word, extra) {
  return el("span", { class: `pill ${word.replaceAll(" ", "-")} ${extra || ""}` }, word);
}

function standingPill(user) {
  const { word, meaning } = STANDINGS[user.standing];
  return el("span", { class: `pill standing ${word.replaceAll(" ", "-")}`, title: meaning }, word);
}

function userLink(user) {
  return el("a", { href: `#user/${encodeURIComponent(user.key)}` }, user.name);
}

function findingLink(one, ...children) {
  return el("a", { href: `#finding/${one.fingerprint}` }, children);
}

let spoken = 0;
function say(text) {
  // A region that is told the same twice says it once: an invisible space makes it another text.
  spoken += 1;
  document.getElementById("status").textContent = text + (spoken % 2 ? "" : "\u00a0");
}

// A command or an identifier with a button that copies it.
function copyable(text, what) {
  const code = el("code", { tabindex: "0", role: "group", "aria-label": what }, text);
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", () => copy(text, code, button));
  return el("div", { class: "copyable" }, code, button);
}

async function copy(text, code, button) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the right to write there, the selection is copied as if by hand.
    getSelection().selectAllChildren(code);
    copied = document.execCommand("copy");
  }
  button.textContent = copied ? "Copied" : "Selected";
  say(copied ? "Copied" : "Selected: copy it with your keyboard");
}
