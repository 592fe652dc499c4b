// The wallet's pages: the code with its minute, questions as they come, answers, links.
"use strict";

const say2 = (name) => at("wallet-words").dataset[name];
const png = (text) => `data:image/png;base64,${text.replaceAll("-", "+").replaceAll("_", "/")}`;

// The code: one at a time, a new one before it dies, none while the page is hidden, taken back when it is closed.

const code = { what: null, shown: null, timer: 0, lock: null };
const RENEW_BEFORE_SECONDS = 5;

async function draw() {
  clearInterval(code.timer);
  const shown = await call("POST", "/wallet/shows", { qr: "png", ...code.what });
  code.shown = shown;
  at("qr").src = png(shown.qr);
  at("typed").textContent = shown.typed_code.match(/.{4}/g).join(" ");
  at("code-over").hidden = true;
  at("code-said").textContent = say2("ready");
  const life = (new Date(shown.expires_at) - clock.now()) / 1000;
  const began = performance.now();
  const tick = () => {
    const left = life - (performance.now() - began) / 1000;
    at("ring").style.strokeDashoffset = String(301.6 * (1 - Math.max(0, left / life)));
    if (left <= RENEW_BEFORE_SECONDS) renew();
  };
  code.timer = setInterval(tick, 1000);
  tick();
}

/** Whether the code that is seen was used, asked of the service by taking it back: what was chosen leaves once. */
async function wasUsed() {
  if (!code.shown || code.what.ask) return false;
  try {
    await call("DELETE", `/wallet/shows/${code.shown.show_id}`);
    return false;
  } catch (error) {
    if (error instanceof Refusal) return error.code === "already_used";
    throw error; // nobody knows: no other is drawn
  }
}

function used() {
  code.shown = null; // nothing to take back
  at("code").close();
  say(say2("used"), true);
}

async function renew() {
  clearInterval(code.timer);
  if (document.hidden || !at("code").open) return;
  try {
    if (await wasUsed()) { used(); return; }
    if (!at("code").open) return; // closed meanwhile
    await draw();
  } catch (error) {
    at("code-over").hidden = false;
    at("qr").removeAttribute("src");
    at("code-said").textContent = error.message;
  }
}

async function open(what) {
  code.what = what;
  at("code-what").textContent = what.ask ? at("code-what").dataset.asks || at("code-what").textContent : say2("chosen");
  await draw();
  if (!at("code").open) at("code").showModal();
  if (navigator.wakeLock) code.lock = await navigator.wakeLock.request("screen").catch(() => null);
}

function takeBack() {
  clearInterval(code.timer);
  if (code.lock) code.lock.release();
  if (code.shown) call("DELETE", `/wallet/shows/${code.shown.show_id}`).catch(() => { /* it was used, or is over: both are well */ });
  code.shown = null;
}

at("code-what").dataset.asks = at("code-what").textContent;
at("show-code").addEventListener("click", (event) => act(event.currentTarget, () => open({ ask: true })));
at("code-new").addEventListener("click", renew);
at("code-close").addEventListener("click", () => at("code").close());
at("code").addEventListener("close", takeBack);
if (location.hash === "#code") at("show-code").click();

// Questions come as events while the page is seen.

let events = null;
function listen() {
  if (events) events.close();
  events = null;
  if (document.hidden) {
    at("code-said").textContent = say2("paused");
    return;
  }
  if (at("code").open) renew();
  events = new EventSource("/wallet/events");
  events.addEventListener("shown", (event) => {
    if (code.shown && !code.what.ask && JSON.parse(event.data).show_id === code.shown.show_id) used();
  });
  events.addEventListener("consent", (event) => {
    const asked = JSON.parse(event.data);
    const there = `/w/asked/${asked.consent_id}`;
    if (location.pathname === there) return;
    if (at("code").open) {
      code.shown = null; // it was used: nothing to take back
      location.assign(there);
    } else if (at("asked")) {
      at("asked-link").href = there;
      at("asked").hidden = false;
    } else {
      say("", true);
      at("said").append(Object.assign(document.createElement("a"), { href: there, textContent: say2("asked") }));
      at("said").hidden = false;
    }
  });
}
document.addEventListener("visibilitychange", listen);
listen();

// One card: what to show of it.

const choose = at("choose");
if (choose) {
  const chosen = () => [...choose.querySelectorAll("[name=claims]:checked")].map((one) => one.value);
  const sensitive = () => Boolean(at("sensitive") && at("sensitive").checked);
  if (at("reveal")) at("reveal").addEventListener("click", (event) => {
    const pressed = event.currentTarget.getAttribute("aria-pressed") !== "true";
    event.currentTarget.setAttribute("aria-pressed", String(pressed));
    for (const one of choose.querySelectorAll(".masked")) one.hidden = pressed;
    for (const one of choose.querySelectorAll(".full")) one.hidden = !pressed;
  });
  if (at("show-chosen")) at("show-chosen").addEventListener("click", (event) => act(event.currentTarget, () => open({
    licences: [{ licence_id: choose.dataset.licence, claims: chosen() }], sensitive: sensitive(),
  })));
  if (at("make-pass")) at("make-pass").addEventListener("click", (event) => act(event.currentTarget, async () => {
    const made = await call("POST", "/wallet/passes", {
      licence_id: choose.dataset.licence, claims: chosen(), qr: "png", sensitive: sensitive(),
    });
    at("pass-qr").src = png(made.qr);
    at("pass-text").textContent = made.text;
    at("pass-until").textContent = moment(made.expires_at);
    localStorage.setItem("offline-pass", JSON.stringify({ qr: png(made.qr), text: made.text, until: made.expires_at }));
    at("pass").showModal();
  }));
  at("pass-close").addEventListener("click", () => at("pass").close());
}

// One question: yes, less, no.

const answer = at("answer");
if (answer) {
  const { consent, seen, principal } = answer.dataset;
  const over = (name) => {
    answer.hidden = true;
    say(at("asked-words").dataset[name], true);
    at("main").focus();
  };
  const decline = (button, report) => act(button, async () => {
    await call("POST", `/wallet/consents/${consent}/decline`, report ? { report } : {});
    over(report ? "reported" : "declined");
  });
  if (at("confirm")) at("confirm").addEventListener("click", (event) => act(event.currentTarget, async () => {
    const without = [...answer.querySelectorAll("[name=part]:not(:checked)")].map((one) => one.value);
    const sensitive = Boolean(at("sensitive") && at("sensitive").checked);
    await call("POST", `/wallet/consents/${consent}/confirm`, { seen, without, sensitive, ...(principal ? { principal } : {}) });
    over("confirmed");
  }));
  at("decline").addEventListener("click", (event) => decline(event.currentTarget));
  at("report-open").addEventListener("click", (event) => {
    at("report-box").hidden = !at("report-box").hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!at("report-box").hidden));
    if (!at("report-box").hidden) at("report").focus();
  });
  at("report-send").addEventListener("click", (event) => {
    const text = at("report").value.trim();
    if (text) { decline(event.currentTarget, text); return; }
    at("report").focus();
    say(at("asked-words").dataset.reportWhat);
  });
}

// Links of other services, pasted or seen by the camera.

const linkForm = at("link-form");
if (linkForm) {
  const said = at("open-words").dataset;
  const offers = /^openid-credential-offer:|^haip-vci:|credential_offer/;
  let link = "";
  let request = null;
  const named = (names) => names[language] || names["zh-CN"] || names[language === "zh" ? "en" : "zh"] || Object.values(names)[0] || "";

  const lookAtOffer = async () => {
    const offer = await call("POST", "/wallet/offers/look", { link });
    at("offer-issuer").textContent = named(offer.issuer_name) || offer.issuer;
    at("offer-licences").textContent = offer.licences.map(named).join(comma);
    at("tx").hidden = !offer.tx_code;
    at("take").hidden = !offer.take;
    at("start").hidden = offer.take || !offer.sign_in;
    at("offer").hidden = false;
  };
  const lookAtRequest = async () => {
    const principal = at("whom") ? at("whom").value : "";
    request = await call("POST", `/wallet/requests?language=${language}`, { link, ...(principal ? { principal } : {}) });
    at("request-who").textContent = request.verifier_name || request.verifier;
    at("request-host").textContent = request.host;
    at("unsigned").hidden = request.signed;
    at("request-sensitive").hidden = !request.parts.some((one) => one.sensitive);
    at("request-parts").replaceChildren(...request.parts.map(part));
    at("request").hidden = false;
  };
  const line = (text) => Object.assign(document.createElement("p"), { textContent: text });
  const shown = (one) => {
    const list = Object.assign(document.createElement("dl"), { className: "claims shown" });
    for (const name of one.claims) {
      const [term, told] = [document.createElement("dt"), document.createElement("dd")];
      term.append(isolated(one.labels[name]));
      told.append(isolated(spelt(one.values[name])));
      list.append(term, told);
    }
    return list;
  };
  const isolated = (text) => Object.assign(document.createElement("bdi"), { textContent: text });
  const part = (one) => {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("h3"), { textContent: one.name }));
    if (one.principal) item.append(line(`${said.of}${one.principal.name}`));
    item.append(line(said.shows), shown(one));
    if (one.kept_back.length) item.append(line(`${said.keeps}${one.kept_back.map((name) => one.labels[name]).join(comma)}`));
    if (one.optional) {
      const label = Object.assign(document.createElement("label"), { className: "check" });
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true, name: "part", value: one.query_id });
      label.append(box, said.optional);
      item.append(label);
    }
    return item;
  };
  const look = (button) => act(button, async () => {
    at("offer").hidden = at("request").hidden = true;
    link = at("link").value.trim();
    await (offers.test(link) ? lookAtOffer() : lookAtRequest());
  });
  linkForm.addEventListener("submit", (event) => { event.preventDefault(); look(event.submitter); });
  at("take").addEventListener("click", (event) => act(event.currentTarget, async () => {
    const code = at("tx-code").value.trim();
    const taken = await call("POST", "/wallet/offers/take", { link, ...(code ? { tx_code: code } : {}) });
    at("offer").hidden = true;
    say(taken.waiting.length ? said.waits : said.taken, true);
  }));
  at("start").addEventListener("click", (event) => act(event.currentTarget, async () => {
    location.assign((await call("POST", "/wallet/offers/start", { link })).authorization_url);
  }));
  const reply = (button, agree) => act(button, async () => {
    const without = [...document.querySelectorAll("[name=part]:not(:checked)")].map((one) => one.value);
    const sensitive = at("sensitive").checked;
    const sent = await call("POST", `/wallet/requests/${request.request_id}/answer`, { agree, without: agree ? without : [], sensitive });
    at("request").hidden = true;
    say(agree ? said.sent : said.refused, true);
    if (sent.redirect_uri) location.assign(sent.redirect_uri);
  });
  at("agree").addEventListener("click", (event) => reply(event.currentTarget, true));
  at("refuse").addEventListener("click", (event) => reply(event.currentTarget, false));
  const given = new URLSearchParams(location.hash.slice(1)).get("link");
  if (given) { at("link").value = given; look(null); }

  const supported = window.BarcodeDetector ? BarcodeDetector.getSupportedFormats() : Promise.resolve([]);
  supported.then((formats) => { at("scan").hidden = !formats.includes("qr_code") || !navigator.mediaDevices; });
  at("scan").addEventListener("click", (event) => act(event.currentTarget, async () => {
    const video = at("camera");
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    try {
      for (let tries = 0; tries < 150 && !video.hidden; tries += 1) {
        const [found] = await detector.detect(video);
        if (found) { at("link").value = found.rawValue; await look(null); return; }
        await new Promise((done) => { setTimeout(done, 200); });
      }
      say(said.nothing);
    } finally {
      video.hidden = true;
      for (const track of stream.getTracks()) track.stop();
    }
  }));
}

// The shell opens without a network.

if ("serviceWorker" in navigator) {
  const trusted = window.trustedTypes
    ? trustedTypes.createPolicy("worker", { createScriptURL: (url) => { if (url !== "/w/worker.js") throw new Error(url); return url; } }).createScriptURL("/w/worker.js")
    : "/w/worker.js";
  navigator.serviceWorker.register(trusted, { scope: "/w" }).catch(() => { /* without it the wallet works, but not offline */ });
}
