// The office's live news, followed by one connection. It comes back by itself, from where it left off: a fresh EventSource
// forgets Last-Event-ID, so the position goes along in the address too.

export const EVENTS = [
  "reset", "beat", "bye", "devices", "link", "agenda", "waits", "disk", "broadcast",
  "day.opened", "day.closed", "counter.opened", "counter.closed",
  "counter.paused", "counter.resumed", "counter.taken_over", "counter.services_changed", "support.asked", "support.answered",
  "ticket.issued", "ticket.printed", "ticket.print_failed", "ticket.called", "ticket.recalled", "ticket.shown",
  "ticket.started", "ticket.finished", "ticket.no_show", "ticket.reinstated", "ticket.transferred", "ticket.reassigned",
  "ticket.parked", "ticket.resumed", "ticket.abandoned", "ticket.released", "ticket.accepted", "ticket.arrived", "ticket.relabelled", "ticket.skipped",
  "ticket.service_added", "ticket.priority_changed", "ticket.needs_set", "ticket.route_planned", "ticket.undone", "ticket.wanted_back", "appointment.revealed", "reserve.granted", "labels.skipped",
  "lease.sold", "lease.returned",
  "config.applied", "node.started", "node.break_glass", "clock.stepped",
];
const RETRY_MS = [500, 1_000, 2_000, 5_000];
const SILENT_MS = 20_000;

export class Stream {
  // tell({event, position}) gets every event, and "open" and "lost" of the connection. position: of a fact in the journal;
  // other news has none, and what was told of it while nobody was connected is not told again.
  constructor(address, position, tell) {
    this.address = address;
    this.position = position;
    this.tell = tell;
    this.failures = 0;
    this.open();
    setInterval(() => Date.now() - this.heardAt > SILENT_MS && this.again(), 5_000);
  }

  open() {
    const url = new URL(this.address, location.origin);
    if (this.position) url.searchParams.set("last_event_id", this.position);
    const source = new EventSource(url);
    for (const name of EVENTS) source.addEventListener(name, (event) => this.heard(name, event));
    source.addEventListener("open", () => this.tell({ event: "open" }));
    source.addEventListener("error", () => this.again());
    this.heardAt = Date.now();
    this.source = source;
  }

  heard(name, event) {
    this.heardAt = Date.now();
    this.failures = 0;
    if (event.lastEventId) this.position = event.lastEventId;
    if (name === "bye") this.again();
    else this.tell({ event: name, position: name.includes(".") ? event.lastEventId : "" });
  }

  // Spread over time, so that a node that comes back is not met by every desk at once.
  again() {
    this.source.close();
    clearTimeout(this.retry);
    this.heardAt = Date.now();
    this.failures += 1;
    if (this.failures > 1) this.tell({ event: "lost" });
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1];
    this.retry = setTimeout(() => this.open(), wait * (0.5 + Math.random()));
  }
}
