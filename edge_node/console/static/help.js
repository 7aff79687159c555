// Escape closes the help first, and only then what it is about. Without this file it is closed where it was opened.
window.addEventListener("keydown", (event) => {
  const help = event.key === "Escape" && document.querySelector("details.help[open]");
  if (!help) return;
  event.stopImmediatePropagation();
  help.open = false;
  help.querySelector("summary").focus();
}, true);

// A small window of its own, beside another program. Without this file, and where windows are blocked, it is one more tab.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-popup]");
  if (!link) return;
  window.name = "vt-console"; // what the small window leads back to
  if (window.open(link.href, link.target, `popup,${link.dataset.popup}`)) event.preventDefault();
});
