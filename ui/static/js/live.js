// One live stream per page. The server sends its own HTML for named elements; this script only puts it in its place,
// says when the data are old, and asks by polling when the stream cannot be had. Without it the page still shows what
// was true when it was made. Contract: docs/ui.md, "Live pages".

const FAILURES_BEFORE_POLLING = 3;
const POLL_MS = 10_000;
const RETRY_MS = [1_000, 2_000, 5_000, 15_000];
const DEFAULT_STALE_S = 30;

// Trusted Types: the only HTML that is ever parsed here came from our own origin over the stream or the poll.
const policy = window.trustedTypes?.createPolicy("vt-live", { createHTML: (html) => html });

class Live {
  constructor(root) {
    this.root = root;
    this.staleMs = Number(root.dataset.liveStaleS || DEFAULT_STALE_S) * 1000;
    this.lastNews = Date.now();
    this.lastId = "";
    this.failures = 0;
    this.shown = new Map();
    this.open();
    setInterval(() => this.mark(), 1_000);
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    window.addEventListener("online", () => this.wake());
    window.addEventListener("pagehide", () => this.close());
    window.addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  open() {
    this.close();
    const source = new EventSource(this.address(this.root.dataset.live));
    source.addEventListener("open", () => this.connected());
    source.addEventListener("fragment", (event) => this.take(event, (items) => this.place(items)));
    source.addEventListener("state", (event) => this.take(event, (state) => this.describe(state)));
    source.addEventListener("beat", (event) => this.take(event, () => {}));
    source.addEventListener("bye", () => this.again());
    source.addEventListener("error", () => this.again());
    this.source = source;
  }

  // A new EventSource forgets Last-Event-ID, so it goes along in the query too.
  address(path) {
    const url = new URL(path, location.href);
    if (this.lastId) url.searchParams.set("last_event_id", this.lastId);
    return url;
  }

  close() {
    this.source?.close();
    this.source = null;
    clearTimeout(this.retry);
  }

  connected() {
    this.failures = 0;
    clearInterval(this.polling);
    this.polling = null;
  }

  // Spread over time, so that a restarted server is not met by every page at once.
  again() {
    this.close();
    this.failures += 1;
    if (this.failures >= FAILURES_BEFORE_POLLING && this.root.dataset.livePoll && !this.polling) {
      this.polling = setInterval(() => this.poll(), POLL_MS);
      this.poll();
    }
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1];
    this.retry = setTimeout(() => this.open(), wait * (0.5 + Math.random()));
  }

  wake() {
    if (!this.source || Date.now() - this.lastNews > this.staleMs) this.open();
  }

  async poll() {
    try {
      const reply = await fetch(this.address(this.root.dataset.livePoll), { headers: { accept: "application/json" } });
      if (reply.ok) this.news(await reply.json(), (items) => this.place(items));
    } catch {
      // Nothing heard: the page grows stale and says so.
    }
  }

  take(event, act) {
    if (event.lastEventId) this.lastId = event.lastEventId;
    this.news(event.data ? JSON.parse(event.data) : {}, act);
  }

  news(data, act) {
    this.lastNews = Date.now();
    act(data);
    if (data.at) this.root.querySelectorAll("[data-live-at]").forEach((place) => (place.textContent = data.at));
    this.mark();
  }

  // {"id", "html"}, a list of them, or {"items": [...], "title", "at"}.
  place(data) {
    const items = Array.isArray(data) ? data : (data.items ?? [data]);
    if (data.title) document.title = data.title;
    for (const { id, html } of items) {
      const target = id && document.getElementById(id);
      if (!target || this.shown.get(id) === html) continue; // the same news is not announced twice
      this.shown.set(id, html);
      replace(target, html);
    }
    document.dispatchEvent(new CustomEvent("live:placed", { detail: { ids: items.map((item) => item.id) } }));
  }

  describe(state) {
    for (const [name, value] of Object.entries(state)) {
      if (/^[a-z][a-z-]*$/.test(name) && name !== "at") this.root.setAttribute(`data-${name}`, String(value));
    }
  }

  mark() {
    const stale = Date.now() - this.lastNews > this.staleMs;
    if (stale === this.stale) return;
    this.stale = stale;
    this.root.toggleAttribute("data-stale", stale);
    this.root.querySelectorAll('[data-when="stale"]').forEach((part) => (part.hidden = !stale));
    this.root.querySelectorAll('[data-when="live"]').forEach((part) => (part.hidden = stale));
  }
}

// The element stays, so that a live region keeps its place and the focus is not lost.
function replace(target, html) {
  const focused = target.contains(document.activeElement) ? document.activeElement.id : "";
  const fresh = document.createElement("template");
  fresh.innerHTML = policy ? policy.createHTML(html) : html;
  target.replaceChildren(fresh.content);
  if (focused) document.getElementById(focused)?.focus();
}

document.querySelectorAll("[data-live]").forEach((root) => new Live(root));
