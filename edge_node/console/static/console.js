// The work screen: forms without a new page, panels, live news. Without this file every form, link and button still works;
// the server alone decides what happens, and the same form sent twice acts once.
import { merge, mergeSaid, read } from "./merge.js";
import { Stream } from "./stream.js";

const ASKED = { "HX-Request": "true", "X-Page-Language": document.documentElement.lang, accept: "text/html" };
const BY_ITSELF = { ...ASKED, "X-News": "1" }; // the page asks, not the person: nobody need sit here
const ANSWER_MS = 8_000;
const CALM_MS = 80; // several facts of one moment become one look
const LINK_MS = 2_000; // while central is away every fact changes the number that waits for it
const TOAST_MS = 5_000;

// turn: counts what the person did; an answer to a question of an earlier turn shows what is no more.
const page = { sending: false, looking: false, lookAgain: false, older: 0, turn: 0, at: 0, timers: {} };
const here = () => document.querySelector("#live").dataset;

// ------------------------------------------------------------------------------------------------------------------ acts

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches('form[action^="/act/"], form[action="/show-person"]') || event.defaultPrevented) return;
  event.preventDefault();
  if (!page.sending) send(form, event.submitter);
}, true);

async function send(form, button) {
  const held = document.activeElement !== document.body;
  page.sending = true;
  page.turn += 1;
  button?.setAttribute("aria-busy", "true");
  const body = new URLSearchParams(new FormData(form, button?.name ? button : null));
  try {
    const reply = await fetch(button?.getAttribute("formaction") ?? form.action, { method: "POST", body, headers: ASKED, signal: AbortSignal.timeout(ANSWER_MS) });
    await show(reply, form, held);
    lost(false);
  } catch {
    lost(true); // the form keeps its request_id: pressed again it acts once
  } finally {
    button?.removeAttribute("aria-busy");
    page.sending = false;
    if (page.lookAgain) look();
  }
}

async function show(reply, form, held) {
  if (reply.headers.get("hx-redirect")) return location.assign(reply.headers.get("hx-redirect"));
  const fresh = read(await reply.text());
  if (!fresh.querySelector("#live")) return location.reload();
  if (reply.status === 503) return mergeSaid(fresh);
  const refused = fresh.querySelector("#said")?.firstElementChild;
  if (!refused && form) delete form.dataset.editing;
  stand(reply);
  merge(fresh, "act");
  settle();
  fade();
  if (held) focusAfter(form);
}

function stand(reply) {
  const address = reply.headers.get("hx-replace-url");
  if (address) history.replaceState(null, "", address);
}

// A person who acted by keyboard must not fall out of the page: what had the focus is gone.
function focusAfter(form) {
  if (document.activeElement && document.activeElement !== document.body && document.activeElement.isConnected) return;
  const panel = document.querySelector("[data-panel] [data-first]");
  (panel ?? document.querySelector(`#${CSS.escape(form?.id || "none")} button`) ?? document.querySelector("#visit, #work"))?.focus();
}

// The second click of a double click lands on what has come to stand there.
document.addEventListener("click", (event) => {
  if (event.detail > 1 && event.target.closest?.("button, a.button")) event.preventDefault();
}, true);

// ---------------------------------------------------------------------------------------------------------------- panels

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-part]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href);
});

async function go(address) {
  const was = document.querySelector("[data-panel]")?.dataset.panel;
  const turn = (page.turn += 1);
  document.querySelectorAll(".panel [data-editing]").forEach((form) => delete form.dataset.editing);
  try {
    const reply = await fetch(address, { headers: ASKED, signal: AbortSignal.timeout(ANSWER_MS) });
    if (reply.headers.get("hx-redirect")) return location.assign(reply.headers.get("hx-redirect"));
    const fresh = read(await reply.text());
    if (turn !== page.turn) return;
    page.turn += 1; // whoever asked meanwhile asked about the page before
    stand(reply);
    merge(fresh, "act");
    settle();
  } catch {
    return lost(true);
  }
  const first = document.querySelector(".panel [data-first]");
  (first ?? document.querySelector(`[data-opens="${was}"]`) ?? document.querySelector("#visit, #work"))?.focus();
  document.dispatchEvent(new CustomEvent("console:opened"));
}

// A form that somebody has begun to fill in stays as it is until it is sent, whatever happens in the office.
for (const event of ["input", "change"]) {
  document.addEventListener(event, ({ target }) => {
    const form = target.form;
    if (!form?.matches('[action^="/act/"], [data-keep]')) return;
    form.dataset.editing = "";
    const beside = target.closest("[data-keep]"); // a part of the form that stands elsewhere on the page
    if (beside) beside.dataset.editing = "";
  });
}

// ------------------------------------------------------------------------------------------------------------------ news

// Each kind of news has its own wait: what waits long must not hold up what waits little.
function soon(wait = CALM_MS, kind = "soon") {
  page.timers[kind] ??= setTimeout(() => {
    page.timers[kind] = null;
    look();
  }, wait);
}

// Ask for the page as it is now. One question at a time; what comes meanwhile asks once more.
async function look() {
  if (page.sending || page.looking) {
    page.lookAgain = true;
    return;
  }
  page.looking = true;
  page.lookAgain = false;
  const turn = page.turn;
  try {
    const reply = await fetch(location.href, { headers: BY_ITSELF, signal: AbortSignal.timeout(ANSWER_MS) });
    if (reply.headers.get("hx-redirect")) return location.assign(reply.headers.get("hx-redirect"));
    const fresh = read(await reply.text());
    if (!reply.ok) return unheard();
    if (turn !== page.turn) page.lookAgain = true;
    else if (isNewer(fresh)) merge(fresh, "news");
    else if (++page.older > 1) return location.reload(); // a node put back from an older copy: what is shown is not there
    else page.lookAgain = true;
    settle();
    lost(false);
  } catch {
    unheard();
  } finally {
    page.looking = false;
    if (page.lookAgain) soon();
  }
}

document.addEventListener("console:look", look);

// An answer that was on its way while an act was carried out is older than what the page shows.
function isNewer(fresh) {
  const next = fresh.querySelector("#live");
  const newer = Boolean(next) && compare(next.dataset.position, here().position) >= 0;
  if (newer) page.older = 0;
  return newer;
}

// What the page shows may be old, though the stream may go on: ask until there is an answer.
function unheard() {
  lost(true);
  poll();
}

function compare(one, other) {
  const [[epoch, seq], [epochThere, seqThere]] = [one, other].map((position) => position.split("-").map(Number));
  return epoch - epochThere || seq - seqThere;
}

function heard({ event, position }) {
  if (event === "lost") return unheard();
  if (page.timers.poll) return; // it asks anyhow, and takes the banner away when it has its answer
  if (event === "beat" || event === "waits") return;
  if (event === "link") return soon(LINK_MS, "link");
  if (position && compare(position, here().position) <= 0) return; // shown already
  soon();
}

// No stream: ask now and then.
function poll() {
  page.timers.poll ??= setTimeout(() => {
    page.timers.poll = null;
    look();
  }, 3_000);
}

function lost(is) {
  page.lost = is;
  const banner = document.querySelector("#lost");
  if (banner) banner.hidden = !is;
}

function follow() {
  const { live: address, worker, position } = here();
  if (!window.SharedWorker) return new Stream(address, position, heard);
  const shared = new SharedWorker(worker, { type: "module", name: address }); // practice has another address, and so a worker of its own
  shared.addEventListener("error", () => new Stream(address, position, heard), { once: true });
  shared.port.addEventListener("message", ({ data }) => heard(data));
  shared.port.start();
  shared.port.postMessage({ address, position });
  window.addEventListener("pagehide", () => shared.port.postMessage({ leaving: true }));
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

// ----------------------------------------------------------------------------------------------------------------- clocks

// After every change: clocks count from here, the next look by itself is set.
function settle() {
  lost(page.lost);
  page.at = performance.now();
  document.querySelectorAll("[data-since-s]").forEach((clock) => (clock.since = Number(clock.dataset.sinceS)));
  clearTimeout(page.timers.look);
  page.timers.look = setTimeout(look, Number(here().refreshS) * 1000);
  document.dispatchEvent(new CustomEvent("console:placed"));
}

// What was told of an act goes away by itself, but not from under a hand or the focus. News of the office do not prolong it.
function fade() {
  clearTimeout(page.timers.toast);
  page.timers.toast = setTimeout(() => {
    const toast = document.querySelector("#toast");
    if (toast?.matches(":hover, :focus-within")) fade();
    else toast?.replaceChildren();
  }, TOAST_MS);
}

function tick() {
  const passed = (performance.now() - page.at) / 1000;
  for (const clock of document.querySelectorAll("[data-since-s]")) {
    const text = stretch(clock.since + passed);
    if (clock.textContent !== text) clock.textContent = text;
  }
}

function stretch(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

settle();
fade();
setInterval(tick, 500);
follow();
document.documentElement.dataset.ready = ""; // from here on everything is heard
