// Keys. A button or link says with data-key which key it answers to in the office's usual set; a person may have chosen
// another one for it, which the server tells in data-keys of the body. Labels are set to what this person presses.

const bound = new Map(Object.entries(JSON.parse(document.body.dataset.keys || "{}")));
const NAMES = { Control: "Ctrl", Alt: "Alt", Shift: "Shift" };

export const keyOf = (usual) => bound.get(usual) ?? usual;

// "F8", "Shift+F8", "Alt+L"; empty for what is only typing.
export function pressed(event) {
  if (event.metaKey || event.isComposing || event.getModifierState("AltGraph")) return "";
  const isFunctionKey = /^F\d{1,2}$/.test(event.key);
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]; // with Alt the letter of the layout may be another sign
  if (!isFunctionKey && !(letter && event.ctrlKey !== event.altKey && !event.shiftKey)) return "";
  const held = [event.ctrlKey && NAMES.Control, event.altKey && NAMES.Alt, event.shiftKey && NAMES.Shift];
  return [...held.filter(Boolean), isFunctionKey ? event.key : plainLetter(event, letter)].join("+");
}

function plainLetter({ key }, letter) {
  return /^[a-z]$/i.test(key) ? key.toUpperCase() : letter;
}

// The usual keys that a press stands for: those bound to it, or itself when nobody has bound it to something else.
function meant(press) {
  const usual = [...bound].filter(([, own]) => own === press).map(([name]) => name);
  return usual.length || bound.has(press) ? usual : [press];
}

document.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter" && event.target.closest?.("button, a")) event.preventDefault();
  if (document.querySelector("dialog:modal")) return; // what lies under it is out of reach, for keys too
  if (event.key === "Escape") return void document.querySelector("a[data-closes]")?.click();
  const names = meant(pressed(event));
  const button = names.map(find).find(Boolean);
  if (!button && !names.some((name) => bound.has(name))) return;
  event.preventDefault(); // F6, F7 and F10 are the browser's own otherwise
  if (button && !event.repeat && button.getAttribute("aria-disabled") !== "true") button.click();
});

function find(name) {
  return name && document.querySelector(`[data-key="${CSS.escape(name)}"]`);
}

// What is written on a button is what this person presses; a screen reader is told the same.
export function label() {
  for (const button of document.querySelectorAll("[data-key]")) {
    const own = keyOf(button.dataset.key);
    const shown = button.querySelector("kbd");
    if (shown && shown.textContent !== own) shown.textContent = own;
    button.setAttribute("aria-keyshortcuts", own.replace("Ctrl", "Control"));
  }
}

document.addEventListener("console:placed", label);
label();
