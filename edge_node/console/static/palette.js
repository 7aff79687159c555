// The palette: all that can be done on this page now, by its name. It knows no verbs: it lists what the page offers, and a
// choice presses what the page has. Panels whose first question is a list are offered with each of its answers.

const ACTIONS = "[data-verb], [data-key], [data-opens], a[href].button, form[action^='/act/'] button, .desk-acts a, .desk-acts button";
const WITHIN = "a[data-opens], button[data-verb], form[action^='/act/'] button";
const SHOWN = 60;
const dialog = document.querySelector("#palette");
const box = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const count = dialog.querySelector("[role=status]");

const open = { entries: [], found: [], at: 0 };

// ------------------------------------------------------------------------------------------------------- what there is

export function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

// Every word that was typed begins a word of the entry: "trans pal" finds "Derivar a… Palmeras" of the verb transfer.
export function matches(entry, typed) {
  const words = entry.words ??= plain(`${entry.name} ${entry.verb} ${entry.key}`).split(/[^\p{L}\p{N}+]+/u);
  return plain(typed).split(/\s+/).filter(Boolean).every((part) => words.some((word) => word.startsWith(part)));
}

function nameOf(element) {
  const label = element.getAttribute("aria-label");
  if (label) return label;
  const copy = element.cloneNode(true);
  copy.querySelectorAll("kbd, svg").forEach((part) => part.remove());
  return copy.textContent.replace(/\s+/g, " ").trim();
}

function verbOf(element) {
  const action = element.form?.getAttribute("action") ?? "";
  return element.dataset.verb ?? element.dataset.opens ?? (action.startsWith("/act/") ? action.slice(5) : "");
}

// What stands in a closed "more" is offered too; it is opened when it is chosen.
function isOffered(element) {
  const fold = element.closest("details:not([open]), [popover]");
  return fold ? Boolean(fold.parentElement?.checkVisibility()) && !element.hidden : element.checkVisibility();
}

function collect() {
  const found = new Map();
  for (const element of document.querySelectorAll(ACTIONS)) {
    const name = nameOf(element);
    const usable = element.getAttribute("aria-disabled") !== "true" && !element.disabled && isOffered(element);
    if (!usable || !name || element.closest("dialog") || element.dataset.opens === "palette") continue;
    const verb = verbOf(element);
    const id = `${verb} ${name}`;
    const key = (element.getAttribute("aria-keyshortcuts") ?? "").replace("Control", "Ctrl");
    if (!found.has(id)) found.set(id, { id, name, verb, key, element });
  }
  const entries = [...found.values()];
  const isMain = ({ element }) => Boolean(element.closest("main"));
  return [...entries.filter(isMain), ...entries.filter((entry) => !isMain(entry))]; // work first, the head of the page last
}

// What a panel offers: the answers to its first question, or the verbs that it holds. They are asked for when somebody types,
// and stand until the palette is closed.
async function choicesOf(entry) {
  const link = entry.element;
  if (!link.dataset.opens || !link.href || link.dataset.opens === document.querySelector("[data-panel]")?.dataset.panel) return [];
  const reply = await fetch(link.href, { headers: { "HX-Request": "true", "X-News": "1", "X-Page-Language": document.documentElement.lang, accept: "text/html" } });
  if (!reply.ok || reply.headers.get("hx-redirect")) return [];
  const panel = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector("[data-panel]");
  if (!panel) return [];
  const options = panel.querySelectorAll("select[data-first] option[value]:not([value=''])");
  return [
    ...[...options].map((option) => ({ ...entry, ...under(entry, option.textContent, option.value), answer: option.value })),
    ...[...panel.querySelectorAll(WITHIN)].filter(isOneStep).map((verb) => ({ ...entry, ...under(entry, nameOf(verb), verbOf(verb)), step: nameOf(verb) })),
  ];
}

function under(entry, text, id) {
  const name = text.replace(/\s+/g, " ").trim();
  return { id: `${entry.id} ${id} ${name}`, name: `${entry.name} ${name}`, verb: `${entry.verb} ${id}`, of: entry, key: "", words: null };
}

// A button whose form asks nothing more, or a link to the next panel.
function isOneStep(element) {
  return !element.form || !element.form.querySelector("input:not([type=hidden]), select, textarea");
}

async function addChoices() {
  if (open.asked) return;
  open.asked = true;
  const asked = open.entries;
  const answers = await Promise.allSettled(asked.map(choicesOf));
  if (open.entries !== asked) return;
  open.entries = [...asked, ...answers.flatMap((answer) => answer.value ?? [])];
  filter();
}

// ------------------------------------------------------------------------------------------------------------ the list

function filter() {
  open.found = open.entries.filter((entry) => matches(entry, box.value)).slice(0, SHOWN);
  open.at = 0;
  list.replaceChildren(...open.found.map(line));
  const told = open.found.length === 1 ? count.dataset.one : open.found.length ? count.dataset.many : count.dataset.none;
  count.textContent = told.replace("{n}", open.found.length);
  mark();
}

function line(entry, index) {
  const option = document.createElement("li");
  option.id = `palette-${index}`;
  option.role = "option";
  option.append(entry.name);
  if (entry.key) option.append(Object.assign(document.createElement("kbd"), { className: "key", textContent: entry.key }));
  return option;
}

function mark() {
  [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === open.at)));
  const option = list.children[open.at];
  if (option) box.setAttribute("aria-activedescendant", option.id);
  else box.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

function move(by) {
  if (!open.found.length) return;
  open.at = (open.at + by + open.found.length) % open.found.length;
  mark();
}

// ------------------------------------------------------------------------------------------------------ open and choose

export function show() {
  if (dialog.open) return;
  Object.assign(open, { entries: collect(), asked: false });
  box.value = "";
  dialog.showModal();
  filter();
  box.focus();
}

// The page may have changed meanwhile: what is pressed is what has that name now.
function choose(index) {
  const entry = open.found[index];
  if (!entry) return;
  const wanted = entry.of ?? entry;
  const now = collect().find((each) => each.id === wanted.id);
  if (!now) {
    open.entries = collect();
    filter();
    count.textContent = count.dataset.gone;
    return;
  }
  dialog.close();
  for (let fold = now.element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  now.element.focus();
  if (entry.of) document.addEventListener("console:opened", () => (entry.step ? step(entry.step) : answer(entry.answer)), { once: true });
  now.element.click();
}

// The first question of the panel has its answer: the focus goes to what is still to be said, or to the button that does it.
function answer(value) {
  const select = document.querySelector("[data-panel] select[data-first]");
  if (!select || ![...select.options].some((option) => option.value === value)) return;
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  const next = select.form.querySelector("select:invalid, input:invalid:not([type=hidden])");
  (next ?? select.form.querySelector("button[type=submit]"))?.focus();
}

// A panel of verbs: a link leads on, a button waits to be pressed.
function step(name) {
  const verb = [...document.querySelectorAll(`[data-panel] :is(${WITHIN})`)].find((each) => nameOf(each) === name);
  verb?.focus();
  if (verb?.localName === "a") verb.click();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens='palette']");
  if (!opener) return;
  event.preventDefault();
  show();
});

box.addEventListener("input", () => {
  filter();
  if (box.value.trim()) addChoices();
});

box.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const steps = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => choose(open.at) };
  const act = steps[event.key] ?? (event.key === "Escape" ? () => dialog.close() : null);
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  if (!event.repeat || event.key.startsWith("Arrow")) act();
});

list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the box
list.addEventListener("click", (event) => choose([...list.children].indexOf(event.target.closest("[role=option]"))));
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

document.documentElement.dataset.keyed = ""; // without script there is no palette to open
