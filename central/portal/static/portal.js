// What a script can add to the portal: printing by a button, a warning before a kept time ends, sound and vibration for who
// asked for them. Without it nothing is missing but this comfort.
const WARN_MS = 2 * 60_000;

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Two minutes before the end the same sentence is said once more: the banner is a polite live region.
for (const banner of document.querySelectorAll("[data-hold-until]")) {
  const left = new Date(banner.dataset.holdUntil).getTime() - Date.now();
  const remind = () => {
    banner.dataset.kind = "late";
    const words = banner.querySelector("p");
    words?.replaceWith(words.cloneNode(true));
  };
  if (left > 0) setTimeout(remind, Math.max(0, left - WARN_MS));
}

// A ticket of an office that is not heard: the page looks again by itself, and becomes the ticket's when it is known.
const LOOK_AGAIN_MS = 10_000;
if (document.querySelector("[data-look-again]")) {
  const look = async () => {
    const reply = document.hidden ? null : await fetch(location.href, { cache: "no-store" }).catch(() => null);
    if (reply?.ok) location.reload();
  };
  setInterval(look, LOOK_AGAIN_MS);
  document.addEventListener("visibilitychange", look);
}

const wish = document.querySelector("[data-turn-sound]");
if (wish) {
  wish.closest("[hidden]")?.removeAttribute("hidden");
  const turn = document.querySelector("[data-live]");
  let audio;
  wish.addEventListener("change", () => {
    if (wish.checked) audio ??= new AudioContext(); // allowed only after a touch
  });
  new MutationObserver(() => wish.checked && tell(turn.dataset.turn, audio)).observe(turn, { attributeFilter: ["data-turn"] });
}

function tell(state, audio) {
  if (state !== "near" && state !== "called") return;
  navigator.vibrate?.(state === "called" ? [400, 150, 400, 150, 400] : [200]);
  for (const [hertz, start] of state === "called" ? [[660, 0], [880, 0.35]] : [[660, 0]]) chime(audio, hertz, start);
}

function chime(audio, hertz, start) {
  const tone = audio.createOscillator();
  const level = audio.createGain();
  const at = audio.currentTime + start;
  tone.frequency.value = hertz;
  level.gain.setValueAtTime(0.3, at);
  level.gain.exponentialRampToValueAtTime(0.001, at + 0.6);
  tone.connect(level).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.6);
}
