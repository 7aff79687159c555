// The agenda by keyboard, printing. Without this file every link, form and button works as well.
const HIDE_MS = 60_000; // a name stays no longer on a screen that nobody uses
const FIELDS = "input, select, textarea";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  const held = event.target;
  if (event.shiftKey) return void (/^Arrow(Left|Right)$/.test(event.key) && !held.matches?.(FIELDS) && turnWeek(event));
  if (event.key === "Escape" && !document.querySelector("#live")) return close(event);
  const list = held.closest?.("[data-arrows]");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return list && step(event, list, held);
  if (held.matches?.(FIELDS)) return;
  if (list?.dataset.arrows === "free" && (event.key === "ArrowLeft" || event.key === "ArrowRight")) return along(event, list, held);
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") turn(event);
});

function links(list) {
  return [...list.querySelectorAll("a")];
}

function focus(event, link) {
  if (!link) return;
  event.preventDefault();
  link.focus();
}

// To the next or the last link of a list: a day, a row, a time.
function step(event, list, held) {
  const all = links(list);
  const at = all.indexOf(held.closest("a")) + (event.key === "ArrowDown" ? 1 : -1);
  focus(event, all[at]);
}

function along(event, list, held) {
  const all = links(list);
  const forward = (event.key === "ArrowRight") === (document.documentElement.dir !== "rtl");
  focus(event, all[all.indexOf(held.closest("a")) + (forward ? 1 : -1)]);
}

function go(event, address) {
  if (!address) return;
  event.preventDefault();
  location.assign(address);
}

// To the day before or after, from the ends of a week into the week beside it.
function turn(event) {
  const list = document.querySelector('[data-arrows="days"]');
  const all = list ? links(list) : [];
  const here = all.findIndex((link) => link.getAttribute("aria-current") === "date");
  if (here < 0) return;
  const forward = event.key === "ArrowRight";
  go(event, all[here + (forward ? 1 : -1)]?.href ?? (forward ? list.dataset.after : list.dataset.before));
}

function turnWeek(event) {
  go(event, document.querySelector(`a[data-week="${event.key === "ArrowRight" ? "after" : "before"}"]`)?.href);
}

function close(event) {
  const link = document.querySelector("a[data-closes]");
  if (!link) return;
  event.preventDefault();
  location.assign(link.href);
}

// News of the office leave a form alone that somebody has begun to fill in.
for (const event of ["input", "change"]) {
  document.addEventListener(event, ({ target }) => {
    const form = target.form;
    if (form?.closest("#beside")) form.dataset.editing = "";
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
document.querySelectorAll("[data-no-script]").forEach((hint) => hint.remove());

// What somebody asked to see goes away again when nobody does anything.
if (document.querySelector("[data-revealed]")) {
  let timer = 0;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => location.replace(document.querySelector("a[data-closes]")?.href ?? "/agenda"), HIDE_MS);
  };
  for (const event of ["keydown", "pointerdown", "scroll"]) document.addEventListener(event, again, { passive: true });
  again();
}
document.documentElement.dataset.agenda = ""; // from here on arrows are heard
