// Tells the server when somebody sits here, and hides what must not be read by whoever comes by. The server decides the same by
// itself: it sends no personal data after a minute without input, and nothing at all once the screen is locked.

const HIDE_AFTER_MS = 60_000;
const TELL_EVERY_MS = 10_000;
const ASK_EVERY_MS = 2_000; // whether it is locked by now
const INPUT = ["keydown", "pointerdown", "pointermove", "wheel", "input"];
const locksAfterMs = Number(document.body.dataset.lockAfterS) * 1000;

const seat = { at: performance.now(), told: performance.now(), hidden: false, timers: {} };

function touched() {
  seat.at = performance.now();
  if (seat.at - seat.told >= TELL_EVERY_MS) tell();
  else seat.timers.tell ??= setTimeout(tell, TELL_EVERY_MS - (seat.at - seat.told));
}

async function tell(fields = {}) {
  clearTimeout(seat.timers.tell);
  seat.timers.tell = null;
  seat.told = performance.now();
  seat.hidden = Boolean(fields.idle);
  const token = document.querySelector("[name=_csrf_token]")?.value ?? "";
  try {
    const reply = await fetch("/presence", { method: "POST", body: new URLSearchParams({ _csrf_token: token, ...fields }) });
    if (reply.headers.get("hx-redirect")) leave();
  } catch {
    // not heard: the server hides and locks by itself
  }
}

// What was shown goes at once, whatever the network does; then the page asks how it looks now.
async function hide() {
  for (const shown of document.querySelectorAll("[data-personal]")) shown.replaceChildren();
  await tell({ idle: "1" });
  document.dispatchEvent(new CustomEvent("console:look"));
}

// A lock is opened in the large window; the small one says whose it is.
function leave() {
  location.assign(document.body.matches(".widget") ? "/widget" : "/sign-in");
}

// A machine that slept has missed its timers: look at the clock, not at how often this was called.
setInterval(() => {
  const idle = performance.now() - seat.at;
  if (locksAfterMs && idle >= locksAfterMs && performance.now() - seat.told >= ASK_EVERY_MS) tell({ idle: "1" });
  else if (idle >= HIDE_AFTER_MS && !seat.hidden) hide();
}, 1_000);

for (const event of INPUT) document.addEventListener(event, touched, { passive: true, capture: true });

new BroadcastChannel("ventanilla").addEventListener("message", ({ data }) => data === "locked" && leave());
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
