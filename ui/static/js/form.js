// Forms: the error summary takes the focus, a button that waits does nothing, and a form is sent once. Without this
// file the server does all alike: the summary is an alert at the top, a repeated request_id acts once, and what cannot
// be done is refused.
const SENT_AGAIN_AFTER_MS = 8000;

document.querySelector("[data-focus]")?.focus();

// A button that cannot be pressed now keeps its place in the order of focus; the server refuses it too.
document.addEventListener("click", (event) => {
  if (event.target.closest?.('[aria-disabled="true"]')) event.preventDefault();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return; // another script sends it
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  setTimeout(() => release(form), SENT_AGAIN_AFTER_MS);
});

// Coming back by the browser's history must leave the form usable.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

function release(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
}
