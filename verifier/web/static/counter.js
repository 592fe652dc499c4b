// The counter: ready to scan, one of three outcomes, next.
"use strict";

const told = (name) => at("counter-words").dataset[name];
const desk = { counter: null, items: [], waiting: null, entry: null, verdict: null, sound: null, idle: 0 };
const ICONS = { accepted: "✓", refused: "✕", cannot_confirm: "?" };
const WORDS = { accepted: "accepted", refused: "refused", cannot_confirm: "unsure" };
const TONES = { accepted: [660, 880], refused: [220, 180, 160], cannot_confirm: [440, 440] };
const KIOSK_FORGETS_SECONDS = 20;
const named = (names) => (names ? names[language] || names.zh || names.en : "") || "";
const element = (kind, text, more = {}) => Object.assign(document.createElement(kind), { textContent: text }, more);

// Starting

async function start() {
  await call("GET", "/healthz"); // and the service's clock
  if (!(await known())) {
    at("enrol").hidden = false;
    at("enrol-code").focus();
    return;
  }
  desk.counter = await asDevice("GET", "/verifier/counter");
  at("where").textContent = named(desk.counter.name);
  const all = (await asDevice("GET", "/verifier/service-items")).items;
  desk.items = all.filter((one) => one.channels.includes(desk.counter.channel));
  at("item").replaceChildren(...desk.items.map((one) => element("option", named(one.name), { value: one.key })));
  const last = localStorage.getItem("item");
  if (desk.items.some((one) => one.key === last)) at("item").value = last;
  const kiosk = desk.counter.channel === "kiosk";
  at("operator-box").hidden = kiosk;
  at("classes").hidden = kiosk;
  at("operator").value = kiosk ? "" : sessionStorage.getItem("operator") || "";
  at("enrol").hidden = true;
  at("desk").hidden = false;
  ready();
}

function ready() {
  at("scanned").value = "";
  at("scanned").focus({ preventScroll: true });
}

at("enrol").addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, async () => {
    await enrol(at("enrol-code").value.trim(), at("enrol-name").value.trim());
    await start();
  });
});
at("forget").addEventListener("click", (event) => {
  if (window.confirm(told("forget"))) act(event.currentTarget, async () => { await forgotten(); location.reload(); });
});
at("item").addEventListener("change", () => { localStorage.setItem("item", at("item").value); ready(); });
at("operator").addEventListener("change", () => { sessionStorage.setItem("operator", at("operator").value.trim()); at("scanned").focus({ preventScroll: true }); });

// Scanning: by gun, camera, photo, or typed

/** What a keyboard wedge typed; where an input method hides the character, the key by its place, as guns send them. */
const wedge = { text: "", last: 0 };
const SHIFTED = { Semicolon: ":", Digit3: "#", Minus: "_", Slash: "?", Equal: "+", Digit7: "&", Digit4: "$", Digit5: "%", Digit8: "*" };
const PLAIN = { Semicolon: ";", Minus: "-", Slash: "/", Period: ".", Equal: "=", Space: " ", Comma: "," };
const GUN_GAP_MILLISECONDS = 60;

function typedBy(event) {
  const { key, code, shiftKey } = event;
  if (key.length === 1 && key <= "~") return key;
  if (/^Key[A-Z]$/.test(code)) return shiftKey || event.getModifierState("CapsLock") ? code[3] : code[3].toLowerCase();
  if (shiftKey && SHIFTED[code]) return SHIFTED[code];
  if (/^(Digit|Numpad)[0-9]$/.test(code)) return code.at(-1);
  return PLAIN[code];
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || at("desk").hidden) return;
  if (event.timeStamp - wedge.last > GUN_GAP_MILLISECONDS) wedge.text = "";
  wedge.last = event.timeStamp;
  if (event.key === "Enter" && wedge.text.length >= 20) { // no person types twenty keys so fast
    event.preventDefault();
    const text = wedge.text;
    wedge.text = "";
    scan(text);
    return;
  }
  wedge.text += typedBy(event) || "";
}, true);

at("scan").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("scanned").value.normalize("NFKC").trim();
  if (text) scan(text);
});

async function scan(text) {
  const operator = at("operator").value.trim();
  const kiosk = desk.counter.channel === "kiosk";
  begin();
  if (!kiosk && !operator) { // what was scanned stays where it is, for when the name is there
    at("scanned").value = text;
    at("operator").focus();
    say(told("operator"));
    return;
  }
  ready();
  await act(null, async () => {
    const entry = desk.entry;
    desk.entry = null;
    const who = kiosk ? {} : { operator };
    const made = entry
      ? await asDevice("POST", `/verifier/class-lists/${entry.list}/entries/${entry.number}/verifications`, { scanned: text, ...who })
      : await asDevice("POST", "/verifier/scans", { scanned: text, service_item: at("item").value, ...who });
    if (entry) await showClass();
    if (made.ask_id) await wait(made);
    else show(made);
  });
  ready();
}

/** Whoever comes next sees nothing of whom came before. */
function begin() {
  clearTimeout(desk.idle);
  if (desk.waiting) asDevice("DELETE", `/verifier/asks/${desk.waiting.id}`).catch(() => { /* answered, or over: both are well */ });
  stopWaiting();
  clear();
}

async function wait(asked) {
  const mine = { id: asked.ask_id };
  desk.waiting = mine;
  at("waiting").hidden = false;
  const end = Date.parse(asked.expires_at);
  const timer = setInterval(() => { at("left").textContent = String(Math.max(0, Math.round((end - clock.now()) / 1000))); }, 1000);
  try {
    while (desk.waiting === mine) {
      const made = await asDevice("GET", `/verifier/asks/${mine.id}?wait=20`);
      if (desk.waiting !== mine) return;
      if (made.verdict) { show(made); return; }
    }
  } catch (error) {
    if (desk.waiting === mine) throw error; // else it was taken back, and nobody waits
  } finally {
    clearInterval(timer);
    if (desk.waiting === mine) stopWaiting();
  }
}

function stopWaiting() {
  desk.waiting = null;
  at("waiting").hidden = true;
}

/** Nobody waits any more: the question is taken back, so that nobody agrees to it; answered meanwhile, it is shown. */
at("stop").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const asked = desk.waiting;
  if (!asked) return;
  try {
    await asDevice("DELETE", `/verifier/asks/${asked.id}`);
  } catch (error) {
    if (error.code === "ask_answered") return; // whoever waits is about to show it
    throw error;
  }
  if (desk.waiting === asked) stopWaiting();
  say(told("withdrawn"), true);
  ready();
}));

// The outcome

function show(made) {
  desk.verdict = made;
  const box = at("verdict");
  const lacks = made.verdict === "accepted" && made.missing.length > 0; // genuine, and not all that the matter needs
  box.className = `verdict ${made.verdict}${lacks ? " incomplete" : ""}`;
  at("verdict-icon").textContent = lacks ? "…" : ICONS[made.verdict];
  at("verdict-word").textContent = told(lacks ? "incomplete" : WORDS[made.verdict]);
  at("verdict-why").textContent = lacks ? `${told("missing")}${made.missing.map((one) => named(one.name)).join(comma)}` : made.message[language];
  at("verdict-age").textContent = made.status_age_seconds !== null ? told("age").replace("{seconds}", made.status_age_seconds) : made.reason_at ? `${told("reasonAt")}${moment(made.reason_at)}` : "";
  box.hidden = false;
  at("missing").replaceChildren(...made.missing.map(lacking));
  at("licences").replaceChildren(...made.licences.map(licence));
  at("copy").hidden = !made.copy_until;
  sound(lacks ? "cannot_confirm" : made.verdict);
  box.scrollIntoView({ block: "start" });
  if (desk.counter.channel === "kiosk") desk.idle = setTimeout(clear, KIOSK_FORGETS_SECONDS * 1000);
}

function clear() {
  desk.verdict = null;
  at("verdict").hidden = true;
  at("copy").hidden = true;
  at("licences").replaceChildren();
  at("missing").replaceChildren();
}

function lacking(one) {
  const box = element("div", "", { className: "notice" });
  box.append(element("strong", `${told("missing")}${named(one.name)}`), element("p", named(one.why)));
  if (one.where.length) box.append(element("p", `${told("where")}${one.where.map(named).join(comma)}`));
  for (const other of one.or) box.append(element("p", `${told("or")}${named(other.name)}`));
  return box;
}

function licence(one) {
  const box = element("section", "", { className: "box" });
  box.append(element("h2", named(one.name)));
  if (one.by_mandate) box.append(element("p", told("byMandate"), { className: "tag unsure" }));
  const list = element("dl", "", { className: "claims" });
  const put = (label, text) => {
    const value = document.createElement("dd");
    value.append(element("bdi", text));
    list.append(element("dt", label), value);
  };
  put(told("agency"), named(one.agency_name) || one.agency);
  if (one.claims) {
    put(told("until"), one.expires_at ? until(one.expires_at) : told("noEnd"));
    for (const [name, value] of Object.entries(one.claims)) put(named(one.labels[name]) || name, spelt(value));
  }
  box.append(list);
  return box;
}

function sound(outcome) {
  desk.sound ??= window.AudioContext ? new AudioContext() : null;
  if (!desk.sound || desk.sound.state === "suspended") return;
  TONES[outcome].forEach((tone, place) => {
    const wave = desk.sound.createOscillator();
    const loud = desk.sound.createGain();
    const begins = desk.sound.currentTime + place * 0.16;
    wave.frequency.value = tone;
    loud.gain.value = 0.15;
    wave.connect(loud).connect(desk.sound.destination);
    wave.start(begins);
    wave.stop(begins + 0.13);
  });
}
document.addEventListener("pointerdown", () => { desk.sound ??= window.AudioContext ? new AudioContext() : null; if (desk.sound) desk.sound.resume(); }, { once: true });

at("copy").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const file = await fileOf(`/verifier/verifications/${desk.verdict.verification_id}/copy`);
  const link = element("a", "", { href: URL.createObjectURL(file), download: `${desk.verdict.verification_id}.pdf` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}));

// Camera and photos: the browser's own reader if it can read, else the service's

const reader = { detector: null, tried: false };

async function detector() {
  if (reader.tried) return reader.detector;
  reader.tried = true;
  try {
    if (window.BarcodeDetector && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
      const made = new BarcodeDetector({ formats: ["qr_code"] });
      await made.detect(new ImageData(8, 8)); // some say that they can, and cannot
      reader.detector = made;
    }
  } catch { reader.detector = null; }
  return reader.detector;
}

async function readFrame(source, width, height) {
  const own = await detector();
  if (own) return (await own.detect(source))[0]?.rawValue;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.8); });
  return readPhoto(blob);
}

async function readPhoto(blob) {
  try {
    return (await asDevice("POST", "/verifier/pictures", undefined, blob)).scanned;
  } catch (error) {
    if (error.code === "picture_unreadable") return undefined;
    throw error;
  }
}

at("camera-open").addEventListener("click", (event) => act(event.currentTarget, async () => {
  begin();
  const video = at("camera");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  let text;
  try {
    for (let tries = 0; tries < 60 && !text; tries += 1) {
      text = await readFrame(video, video.videoWidth, video.videoHeight);
      if (!text) await new Promise((done) => { setTimeout(done, 300); });
    }
  } finally {
    video.hidden = true;
    for (const track of stream.getTracks()) track.stop();
  }
  if (!text) throw new Error(told("nothing"));
  await scan(text);
}));

at("photo").addEventListener("change", () => act(null, async () => {
  begin();
  const [file] = at("photo").files;
  at("photo").value = "";
  const text = file && await readPhoto(file);
  if (!text) throw new Error(told("nothing"));
  await scan(text);
}));

// Class lists

at("classes").addEventListener("toggle", () => { if (at("classes").open) act(null, listClasses); });

async function listClasses() {
  const { items } = await asDevice("GET", "/verifier/class-lists");
  at("class-list").replaceChildren(element("option", told("pick"), { value: "" }), ...items.map((one) => element("option", one.name, { value: one.list_id })));
}

at("class-new").addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, async () => {
    const labels = at("class-labels").value.split("\n").map((one) => one.trim()).filter(Boolean);
    const made = await asDevice("POST", "/verifier/class-lists", { name: at("class-name").value.trim(), service_item: at("item").value, labels });
    await listClasses();
    at("class-list").value = made.list_id;
    await showClass();
  });
});
at("class-list").addEventListener("change", () => act(null, showClass));

async function showClass() {
  const id = at("class-list").value;
  at("class-table").hidden = !id;
  if (!id) return;
  const list = await asDevice("GET", `/verifier/class-lists/${id}`);
  at("class-sum").textContent = `${told("sum")}${list.complete} / ${list.entries.length}`;
  const states = { waiting: told("waiting"), lacking: told("lacking"), complete: told("complete"), refused: told("turnedDown") };
  at("class-table").tBodies[0].replaceChildren(...list.entries.map((one) => {
    const row = document.createElement("tr");
    const button = (text, work) => {
      const made = element("button", text, { type: "button" });
      made.addEventListener("click", (event) => act(event.currentTarget, work));
      return made;
    };
    const acts = document.createElement("td");
    acts.append(
      button(told("scanFor"), async () => {
        desk.entry = { list: id, number: one.number };
        say(`${told("scanNow")}${one.label}`, true);
        ready();
      }),
      button(told("linkFor"), async () => {
        const made = await asDevice("POST", `/verifier/class-lists/${id}/entries/${one.number}/link`, {});
        at("class-link").textContent = `${one.label}: ${made.link}`;
        at("class-link").hidden = false;
        at("class-link").scrollIntoView({ block: "nearest" });
      }),
    );
    const lacks = one.lacks.map((lack) => named(lack.name)).join(comma);
    row.append(element("th", one.label, { scope: "row" }), element("td", states[one.state]), element("td", lacks), acts);
    return row;
  }));
}

// On a counter's own machine: how the line is

async function line() {
  const now = await call("GET", "/line").catch(() => ({ up: false, fresh_at: null, waiting: 0, refused: 0, trouble: "" }));
  const at_ = now.fresh_at ? moment(now.fresh_at) : "";
  const box = at("line").dataset;
  const text = now.fresh_at ? `${now.up ? box.up : box.down} ${at_}` : box.never;
  const parts = [text, now.waiting && `${box.waiting}${now.waiting}`, now.refused && `${box.refused}${now.refused}`, now.trouble];
  const whole = parts.filter(Boolean).join(" · ");
  at("line").classList.toggle("well", now.up && !now.trouble && !now.refused);
  if (at("line").textContent !== whole) at("line").textContent = whole; // said once, not every few seconds
  if (at("desk").hidden && now.fresh_at) act(null, start);
}
if (local) {
  line();
  setInterval(line, 5000);
}

act(null, start);
