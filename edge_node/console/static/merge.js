// Puts a newer version of the page into the open one. What somebody is filling in stays as it is, the focus stays where it is.

// Only our own pages come here, by fetch from our own origin.
const reader = new DOMParser();

export function read(text) {
  return reader.parseFromString(text, "text/html");
}

// after: "act" when the person did something, "news" when the office did; news leaves alone what was told of the last act.
export function merge(fresh, after) {
  if (fresh.documentElement.lang !== document.documentElement.lang) return renew();
  const kept = after === "news" ? ["said"] : [];
  document.title = fresh.title;
  for (const part of ["header.desk", "#work"]) place(document.querySelector(part), fresh.querySelector(part), kept);
  if (after === "act") place(document.querySelector("#toast"), fresh.querySelector("#toast"), []);
}

// The language was changed in another tab: what no merge touches (palette, title of the help, skip link) has to change too.
function renew() {
  const address = new URL(location.href);
  address.searchParams.delete("lang"); // chosen once, and now something else is
  location.replace(address);
}

// When the act may not have been kept, its form keeps its request_id: only what is said of it changes.
export function mergeSaid(fresh) {
  place(document.querySelector("#said"), fresh.querySelector("#said"), []);
}

function place(old, next, kept) {
  if (!old || !next) return;
  if (!window.Idiomorph) return exchange(old, next, kept);
  window.Idiomorph.morph(old, next, {
    morphStyle: "outerHTML",
    ignoreActiveValue: Boolean(document.activeElement?.matches("input, select, textarea")), // it skips all inside the focus
    callbacks: {
      beforeNodeMorphed: (node) => !(kept.includes(node.id) || node.dataset?.editing !== undefined),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details"),
    },
  });
}

// Without the merging library a part is exchanged as a whole; news wait while somebody is filling in a form there.
function exchange(old, next, kept) {
  if (kept.length && old.querySelector("[data-editing], input:focus, select:focus")) return;
  for (const id of kept) next.querySelector(`#${id}`)?.replaceWith(old.querySelector(`#${id}`) ?? "");
  old.replaceWith(next);
}
