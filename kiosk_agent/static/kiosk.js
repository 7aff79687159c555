// The kiosk's page follows its agent: every touch is posted and answered with the next page, and `/live` brings what
// changes by itself. The page keeps nothing and decides nothing; without this script the same buttons are plain forms.

const SCRIPT_HEADER = "x-kiosk-script";

// Trusted Types: the only HTML that is ever parsed here came from our own agent.
const policy = window.trustedTypes?.createPolicy("vt-kiosk", { createHTML: (html) => html });
const parsed = (html) => new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");

const act = () => document.getElementById("act");

// ------------------------------------------------------------------------------------------------------------ showing

// Pages are numbered within one life of the agent; an older one that comes late is not shown.
function isNewer(page) {
  const next = page.getElementById("act").dataset;
  const shown = act().dataset;
  return next.life !== shown.life || Number(next.drawn) > Number(shown.drawn);
}

function show(html) {
  const page = parsed(html);
  if (!page.getElementById("act") || !isNewer(page)) return;
  const sameScreen = page.title === document.title;
  copyAttributes(page.documentElement, document.documentElement);
  document.title = page.title;
  morph(document.body, page.body);
  if (!sameScreen) document.getElementById("main").focus({ preventScroll: true });
  document.getElementById("still")?.focus();
}

// Make `here` look like `wanted` without replacing what is the same: a finger may be on it.
function morph(here, wanted) {
  if (here.nodeType !== Node.ELEMENT_NODE) {
    if (here.nodeValue !== wanted.nodeValue) here.nodeValue = wanted.nodeValue;
    return;
  }
  copyAttributes(wanted, here);
  const next = [...wanted.childNodes];
  next.forEach((child, at) => {
    const old = here.childNodes[at];
    if (!old) here.append(document.importNode(child, true));
    else if (alike(old, child)) morph(old, child);
    else old.replaceWith(document.importNode(child, true));
  });
  while (here.childNodes.length > next.length) here.lastChild.remove();
}

function alike(one, other) {
  if (one.nodeType !== other.nodeType || one.nodeName !== other.nodeName) return false;
  if (one.nodeType !== Node.ELEMENT_NODE) return true;
  // A button that means something else is another button: a press must not travel from one to the other.
  return one.id === other.id && one.getAttribute("value") === other.getAttribute("value");
}

function copyAttributes(from, to) {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

function showPart(selector, html) {
  for (const part of document.querySelectorAll(selector)) part.replaceChildren(...parsed(html).body.childNodes);
}

// ------------------------------------------------------------------------------------------------------------ touching

async function touch(what) {
  try {
    const answer = await fetch("/act", {
      method: "POST",
      headers: { [SCRIPT_HEADER]: "1" },
      body: new URLSearchParams({ do: what }),
      cache: "no-store",
    });
    if (answer.ok) show(await answer.text());
  } finally {
    for (const pressed of document.querySelectorAll("[data-pressed]")) pressed.removeAttribute("data-pressed");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.('button[form="act"]');
  if (!button) return;
  event.preventDefault();
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("data-pressed", "");
  touch(button.value);
});

// A keyboard types the code; nothing on it leaves the page (shortcuts, menus, printing).
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || /^F\d+$/.test(event.key) || event.key === "ContextMenu") {
    event.preventDefault();
    return;
  }
  if (document.getElementById("still") && event.key !== "Tab") {
    event.preventDefault();
    touch("stay");
  } else if (document.querySelector("[data-keyboard]")) {
    type(event);
  }
});

function type(event) {
  if (event.key === "Backspace") touch("erase");
  else if (event.key === "Enter" && !event.target.closest?.("button")) touch("send");
  else if (/^[a-z0-9]$/i.test(event.key)) touch(`letter:${event.key.toUpperCase()}`);
  else return;
  event.preventDefault();
}

for (const name of ["contextmenu", "dragstart", "selectstart"]) {
  document.addEventListener(name, (event) => event.preventDefault());
}

// ----------------------------------------------------------------------------------------------------------- following

const live = new EventSource("/live");
const follow = (name, take) => live.addEventListener(name, (event) => take(JSON.parse(event.data)));
follow("screen", show);
follow("left", (html) => showPart("[data-left]", html));
follow("clock", (html) => showPart("#clock", html));
