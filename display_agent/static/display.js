// The call display in the browser: puts each view of the agent into the page, plays its sounds, reports what it did.
// It decides one thing alone: when nothing is heard from the agent for `data-stale-s` seconds, the screen says that it is offline.

const board = document.getElementById("board");
const foot = document.getElementById("foot");
const list = document.getElementById("rows");
const rowTemplate = document.getElementById("row");
const soundOn = document.getElementById("sound-on");
const now = board.querySelector(".now");
const plate = now.querySelector(".plate");

const STALE_MS = Number(board.dataset.staleS) * 1000;
const NEW_MS = 5000;
const NOTE_MS = 12000;
const SHIFT_MS = 60000;
const REPORTED_MAX = 200;
const ROWS_OFFLINE = 4;

const builtFor = JSON.parse(board.dataset.view).page;

let lastView = JSON.parse(board.dataset.view);
let heardAt = performance.now();
let largeKey = null;
let newTimer = 0;
const reported = new Set();

function put(root, name, text) {
  for (const place of root.querySelectorAll(`[data-put="${name}"]`)) {
    if (place.textContent !== text) place.textContent = text;
  }
}

function showWhen(name, shown) {
  for (const part of document.querySelectorAll(`[data-when="${name}"]`)) part.hidden = !shown;
}

function hideEmpty(root, name, text) {
  put(root, name, text);
  root.querySelector(`[data-put="${name}"]`).hidden = text === "";
}

function makeRow(data) {
  const row = rowTemplate.content.firstElementChild.cloneNode(true);
  for (const name of ["label", "counter", "called"]) put(row, name, data[name]);
  row.toggleAttribute("data-fresh", data.fresh);
  row.toggleAttribute("data-past", data.timed);
  return row;
}

function pulse() {
  clearTimeout(newTimer);
  plate.dataset.new = "";
  newTimer = setTimeout(() => delete plate.dataset.new, NEW_MS);
}

function showMain(data) {
  showWhen("call", data !== null);
  if (data === null) return;
  for (const name of ["label", "counter", "go"]) put(now, name, data[name]);
  hideEmpty(now, "again", data.again);
  hideEmpty(now, "called", data.timed ? data.called : "");
  plate.dataset.chars = String(data.label.length);
  if (data.fresh) plate.dataset.state = "call";
  else delete plate.dataset.state;
  if (data.fresh && data.key !== largeKey) pulse();
  if (!data.fresh) delete plate.dataset.new;
  largeKey = data.key;
}

// What the last view looks like when nobody answers any more: calls with their hour, nothing that may be wrong by now.
function offline(view) {
  const rows = [view.main, ...view.rows].filter(Boolean).slice(0, ROWS_OFFLINE);
  const past = rows.map((row) => ({ ...row, fresh: false, timed: true }));
  return { ...view, state: "offline", main: null, rows: past, clock: "", waiting: "", wait: "" };
}

function show(view) {
  const off = view.state === "offline";
  board.dataset.state = view.state;
  showMain(view.main);
  list.replaceChildren(...view.rows.map((row) => makeRow(off ? { ...row, fresh: false, timed: true } : row)));
  showWhen("live", !off);
  showWhen("open", !off && view.open);
  showWhen("offline", off);
  showWhen("starting", view.state === "starting");
  showWhen("closed", view.state === "live" && !view.open && !view.main);
  showWhen("empty", view.state === "live" && view.open && !view.main);
  hideEmpty(foot, "clock", view.clock);
  put(foot, "waiting", view.waiting);
  hideEmpty(foot, "wait", view.wait);
  showWhen("waiting", view.waiting !== "");
  if (!off) reportPainted(view);
}

async function tell(path, body) {
  try {
    const reply = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return reply.ok;
  } catch {
    return false;
  }
}

// Two frames later the browser has painted what was put in the first. A hidden page paints nothing and reports nothing.
function reportPainted(view) {
  const calls = [view.main, ...view.rows].filter((data) => data && data.report && !reported.has(data.key));
  if (calls.length === 0) return;
  requestAnimationFrame(() => requestAnimationFrame(async () => {
    const keys = calls.map((data) => data.key).filter((key) => !reported.has(key));
    if (keys.length === 0) return;
    for (const key of keys) reported.add(key);
    if (!(await tell("/shown", { keys }))) for (const key of keys) reported.delete(key);
    while (reported.size > REPORTED_MAX) reported.delete(reported.values().next().value);
  }));
}

const clips = new Map();

function clip(name) {
  if (!clips.has(name)) {
    const audio = new Audio(`/sound/${name}`);
    audio.preload = "auto";
    clips.set(name, audio);
  }
  return clips.get(name);
}

function playClip(name) {
  const audio = clip(name);
  audio.currentTime = 0;
  return new Promise((resolve, reject) => {
    audio.onended = resolve;
    audio.onerror = () => reject(new Error("media"));
    audio.play().catch(reject);
  });
}

async function sound({ key, clips: names }) {
  let told = false;
  try {
    for (const name of names) {
      const playing = playClip(name);
      if (!told) clip(name).onplaying = () => {
        if (!told) tell("/sounded", { key, state: "playing" });
        told = true;
      };
      await playing;
    }
    soundOn.hidden = true;
    await tell("/sounded", { key, state: "ended" });
  } catch (error) {
    soundOn.hidden = error.name !== "NotAllowedError";
    await tell("/sounded", { key, state: "failed" });
  }
}

function follow() {
  const stream = new EventSource("/events");
  const on = (name, take) => stream.addEventListener(name, (event) => {
    heardAt = performance.now();
    take(JSON.parse(event.data));
  });
  on("view", (view) => {
    if (view.page !== builtFor) return location.reload();
    lastView = view;
    show(view);
  });
  on("beat", () => {
    if (lastView.state !== board.dataset.state) show(lastView);
    else if (lastView.state !== "offline") reportPainted(lastView);
  });
  on("sound", sound);
  on("bye", () => {});
  // The browser comes back by itself after a cut, but not after an answer that is no stream.
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 1000);
  };
}

function watch() {
  const silent = performance.now() - heardAt > STALE_MS;
  if (silent && board.dataset.state !== "offline") show(offline(lastView));
}

function turnNotes() {
  const notes = [...foot.querySelectorAll("[data-note]")];
  const shown = notes.findIndex((note) => !note.hidden);
  notes.forEach((note, n) => { note.hidden = n !== (shown + 1) % notes.length; });
}

let shift = 0;
function moveBoard() {
  shift = (shift + 1) % 4;
  document.body.dataset.shift = String(shift);
}

soundOn.addEventListener("click", () => {
  soundOn.hidden = true;
  playClip("chime.wav").catch(() => { soundOn.hidden = false; });
});

clip("chime.wav");
follow();
setInterval(watch, 500);
setInterval(turnNotes, NOTE_MS);
setInterval(moveBoard, SHIFT_MS);
