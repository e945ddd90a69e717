// The console by keyboard, live: countdowns, keys, news from the server, previews. Pages work without it.
"use strict";
const page = document.body.dataset.page || "";
const find = (what, from = document) => from.querySelector(what);
const all = (what, from = document) => [...from.querySelectorAll(what)];

// Countdowns: words of a fixed width, made new once in 15 seconds.
function span(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60000), days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24, rest = minutes % 60;
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours} h ${String(rest).padStart(2, "0")} min` : `${rest} min`;
}
function tick() {
  for (const one of all("time.left [data-left]")) {
    const time = one.closest("time"), left = Date.parse(time.dateTime) - Date.now();
    one.textContent = left > 0 ? `in ${span(left)}` : `${span(left)} late`;
    if (left <= 0) time.classList.replace("due_soon", "breached") || time.classList.replace("open", "breached");
  }
}
tick();
setInterval(tick, 15000);
for (const one of all("[data-seconds-until]")) {
  const until = Date.parse(one.dataset.secondsUntil);
  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    one.textContent = left > 0 ? `${left} s` : "now";
    if (left > -3) setTimeout(count, 500); else if (one.dataset.thenLoad !== undefined) location.reload();
  };
  count();
}

// The queue's rows.
let chosen = null;
function choose(row) {
  if (!row) return;
  if (chosen) delete chosen.dataset.chosen;
  chosen = row;
  row.dataset.chosen = "";
  find("a", row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
function step(by) {
  const rows = all("tr[data-href]");
  choose(rows[chosen && chosen.isConnected ? Math.min(Math.max(rows.indexOf(chosen) + by, 0), rows.length - 1) : 0]);
}

// Keys: an element with data-key is clicked, or focused if it is a field; "g q" is g, then q.
let first = "";
const ACTS = { a: "approve", d: "decline", r: "reply", i: "ask", c: "correct", n: "note", s: "snooze" };
document.addEventListener("keydown", event => {
  const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = first ? `${first} ${event.key}` : event.key;
  first = "";
  if (key === "g") { first = "g"; setTimeout(() => { first = ""; }, 1500); return; }
  if (key === "Escape" && find("[data-back]")) { find("[data-back]").click(); return; }
  const target = all("[data-key]").find(one => one.dataset.key === key);
  if (target) {
    event.preventDefault();
    if (target.matches("input, select, textarea")) { target.focus(); target.select?.(); } else target.click();
    return;
  }
  if (page !== "queue") return;
  if (key === "j" || key === "k") { event.preventDefault(); step(key === "j" ? 1 : -1); return; }
  if (!chosen) return;
  if (key === "o") location.href = chosen.dataset.href;
  else if (key === "x") find("[type=checkbox]", chosen)?.click();
  else if (ACTS[key]) location.href = `${chosen.dataset.href}/${ACTS[key]}`;
});
find("[data-keys-open]")?.addEventListener("click", () => find("#keys").showModal());

// A form is sent once, whatever is clicked how often.
document.addEventListener("submit", event => {
  if (event.target.method === "dialog") return;
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => all("form[data-sent]").forEach(one => delete one.dataset.sent));

// Evidence both ways: a span of the mail and the facts that were read in it.
function light(name, on) {
  for (const one of all(`[data-span~="${CSS.escape(name)}"]`)) one.classList.toggle("lit", on);
}
for (const type of ["mouseover", "mouseout", "focusin", "focusout"]) {
  document.addEventListener(type, event => {
    const on = type === "mouseover" || type === "focusin";
    const place = event.target.closest?.("[data-span]");
    if (place) place.dataset.span.split(" ").forEach(name => light(name, on));
  });
}

// Previews: a form says where its preview goes; the server makes it.
for (const form of all("form[data-preview]")) {
  let timer = 0, asked = 0;
  const load = async () => {
    const mine = ++asked, target = find(form.dataset.target);
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) });
    const html = await answer.text();
    if (mine === asked) target.innerHTML = html;
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(load, 350); });
}

// News: the server tells of changes; a page that nobody is typing in shows them by itself.
async function renew() {
  const answer = await fetch(location.href, { headers: { "X-Renewed": "yes" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const at = chosen?.dataset.href, ticked = new Set(all("#listed :checked").map(one => one.value));
  for (const id of ["listed", "forecast"]) {
    const old = document.getElementById(id), now = fresh.getElementById(id);
    if (old && now) old.replaceWith(now);
  }
  for (const one of all("[data-count]")) {
    const now = find(`[data-count="${one.dataset.count}"]`, fresh);
    if (now) { one.textContent = now.textContent; one.className = now.className; }
  }
  for (const one of all("#listed [type=checkbox]")) one.checked = ticked.has(one.value);
  const row = all("tr[data-href]").find(one => one.dataset.href === at);
  chosen = null;
  if (row) { row.dataset.chosen = ""; chosen = row; }
  tick();
}
let breached = null;
function alarm(news) {
  const worse = breached !== null && news.breached > breached;
  breached = news.breached;
  if (!worse || localStorage.getItem("alarm") !== "yes") return;
  if (window.Notification?.permission === "granted") new Notification("mailbot", { body: `${news.breached} breached` });
  const sound = new AudioContext(), tone = sound.createOscillator(), volume = sound.createGain();
  volume.gain.value = .08;
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + .25);
}
if (document.body.dataset.live) {
  breached = Number(document.body.dataset.breached ?? 0);
  const source = new EventSource(document.body.dataset.live);
  source.addEventListener("changed", event => {
    if (page === "queue") renew(); else find("#stale")?.removeAttribute("hidden");
    alarm(JSON.parse(event.data));
  });
  source.addEventListener("others", event => {
    const names = JSON.parse(event.data), place = find(".others");
    if (place) place.textContent = names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} looking at this too` : "";
  });
  addEventListener("pagehide", () => source.close());
}
const bell = find("[data-alarm]");
function ring() { bell.setAttribute("aria-pressed", localStorage.getItem("alarm") === "yes"); }
if (bell) {
  ring();
  bell.addEventListener("click", async () => {
    const on = localStorage.getItem("alarm") !== "yes";
    if (on && window.Notification) await Notification.requestPermission();
    localStorage.setItem("alarm", on ? "yes" : "no");
    ring();
  });
}
