// The console of an agency's clerks: sign in, issue by the type's own form, find, change, answer.
"use strict";

const told = (name) => at("console-words").dataset[name];
const session = { token: sessionStorage.getItem("token"), agency: "", cursor: "" };
const element = (kind, text, more = {}) => Object.assign(document.createElement(kind), { textContent: text }, more);

async function ask(method, path, body, how = {}) {
  return call(method, path, body, { ...how, headers: { Authorization: `Bearer ${session.token}` } });
}

// Who it is

async function start() {
  at("sign-in").hidden = Boolean(session.token);
  if (!session.token) return;
  try {
    const me = await ask("GET", "/caller");
    if (!["agency", "clerk"].includes(me.role)) throw new Error(told("noWork"));
    session.agency = me.subject;
    at("who").textContent = me.person ? `${me.subject} · ${me.person}` : me.subject;
  } catch (error) {
    signedOut();
    throw error;
  }
  const mine = [...document.querySelectorAll("form.issue")].filter((one) => one.dataset.agencies.split(" ").includes(session.agency));
  at("type").replaceChildren(...mine.map((one) => element("option", one.dataset.name, { value: one.dataset.type })));
  at("work").hidden = false;
  pick();
  turn();
}

function signedOut() {
  sessionStorage.removeItem("token");
  session.token = null;
  at("work").hidden = true;
  at("sign-in").hidden = false;
}

function signedIn(token) {
  session.token = token;
  sessionStorage.setItem("token", token);
  return start();
}

at("by-token").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = at("token").value.trim();
  at("token").value = "";
  act(event.submitter, () => signedIn(token));
});
at("by-passkey").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const asked = await call("POST", "/passkeys/sign-in-options");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key);
  const shown = await navigator.credentials.get({ publicKey });
  await signedIn((await call("POST", "/passkeys/sign-in", { credential: shown.toJSON() })).access_token);
}));
at("sign-out").addEventListener("click", (event) => act(event.currentTarget, async () => {
  await ask("POST", "/passkeys/sign-out").catch(() => { /* a system's token is not signed out, only forgotten here */ });
  signedOut();
}));

// One tab at a time

const TABS = ["issue", "find", "cases"];
function turn() {
  const wanted = TABS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "issue";
  for (const one of TABS) {
    at(one).hidden = one !== wanted;
    const link = document.querySelector(`.tabs a[href="#${one}"]`);
    if (one === wanted) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!session.token) return;
  if (wanted === "find") act(null, () => find(""));
  if (wanted === "cases") act(null, cases);
}
addEventListener("hashchange", turn);

// Issue

function pick() {
  for (const one of document.querySelectorAll("form.issue")) one.hidden = one.dataset.type !== at("type").value;
}
at("type").addEventListener("change", pick);

for (const form of document.querySelectorAll("form.issue")) {
  let attempt = crypto.randomUUID(); // the same until it succeeds: a repeated press issues once
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter, async () => {
      const body = { claims: {}, ...meant(form), licence_type: form.dataset.type };
      for (const role of ["guardian", "representative"]) if (body[role] && !body[role].code) delete body[role];
      const made = await ask("POST", `/issuers/${session.agency}/licences`, body, { once: attempt });
      attempt = crypto.randomUUID();
      form.reset();
      say(`${told(made.delivered ? "issued" : "undelivered")}${made.licence_id}`, true);
    }).then(() => { if (!at("said").classList.contains("good")) attempt = crypto.randomUUID(); });
  });
}

// Find and change

at("search").addEventListener("submit", (event) => { event.preventDefault(); act(event.submitter, () => find("")); });
at("found-more").addEventListener("click", (event) => act(event.currentTarget, () => find(session.cursor)));

async function find(cursor) {
  const query = new URLSearchParams({ limit: "20" });
  if (cursor) query.set("cursor", cursor);
  if (at("state").value) query.set("state", at("state").value);
  if (at("reference").value.trim()) query.set("reference", at("reference").value.trim());
  const page = await ask("GET", `/issuers/${session.agency}/licences?${query}`);
  if (!cursor) at("found").replaceChildren();
  at("found").append(...page.items.map(row));
  at("found-none").hidden = at("found").childElementCount > 0;
  session.cursor = page.next_cursor;
  at("found-more").hidden = !page.next_cursor;
}

function row(one) {
  const box = element("article", "", { className: "box" });
  const form = document.querySelector(`form.issue[data-type="${one.licence_type}"]`);
  const state = told(`state${one.state[0].toUpperCase()}${one.state.slice(1)}`);
  box.append(
    element("h3", form ? form.dataset.name : one.licence_type),
    element("span", state, { className: `tag ${one.state === "valid" ? "good" : "bad"}` }),
    element("p", one.licence_id, { className: "text" }),
    element("p", [one.reference, `${one.valid_from} – ${one.valid_until || "∞"}`, one.cause].filter(Boolean).join(" · "), { className: "soft" }),
  );
  const acts = element("div", "", { className: "row" });
  const button = (verb, name, danger) => {
    const made = element("button", told(name), { type: "button", className: danger ? "danger" : "" });
    made.addEventListener("click", () => act(made, () => change(one, verb, name, form)));
    acts.append(made);
  };
  if (one.state === "valid") button("suspend", "suspend", false);
  if (one.state === "suspended") button("reinstate", "reinstate", false);
  if (["valid", "suspended"].includes(one.state)) button("revoke", "revoke", true);
  box.append(acts);
  return box;
}

async function change(one, verb, name, form) {
  const causes = form ? [...form.querySelector("template.causes").content.querySelectorAll("option")] : [];
  const fitting = causes.filter((cause) => cause.dataset.effect === verb);
  at("change-title").textContent = told(name);
  at("change-id").textContent = one.licence_id;
  at("cause").replaceChildren(...fitting.map((cause) => cause.cloneNode(true)));
  at("cause").parentElement.querySelector("label").hidden = at("cause").hidden = verb === "reinstate";
  const dialog = at("change");
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((done) => { dialog.addEventListener("close", done, { once: true }); });
  if (dialog.returnValue !== "yes") return;
  const body = verb === "reinstate" ? {} : { cause: at("cause").value };
  const made = await ask("POST", `/issuers/${session.agency}/licences/${one.licence_id}/${verb}`, body, { once: crypto.randomUUID() });
  say(made.state ? told("done") : told("two"), true);
  await find("");
}

// Corrections and objections

async function cases() {
  const page = await ask("GET", `/issuers/${session.agency}/cases`);
  const open = page.items.filter((one) => ["open", "in_hand"].includes(one.state));
  at("case-list").replaceChildren(...await Promise.all(open.map(caseBox)));
  at("cases-none").hidden = open.length > 0;
}

async function caseBox(one) {
  const seen = await ask("GET", `/issuers/${session.agency}/cases/${one.case_id}`);
  const box = element("article", "", { className: "box" });
  box.append(element("p", `${one.kind} · ${one.about}`, { className: "text" }));
  for (const step of seen.timeline) {
    const said = element("p", "");
    said.append(element("bdi", step.text), element("small", ` ${new Date(step.at).toLocaleString(language === "zh" ? "zh-CN" : "en-GB")}`));
    box.append(said);
  }
  const id = `word-${one.case_id}`;
  const word = element("textarea", "", { id, rows: 2, maxLength: 2000 });
  const acts = element("div", "", { className: "row" });
  for (const [state, name] of [["in_hand", "inHand"], ["upheld", "upheld"], ["rejected", "rejected"]]) {
    const button = element("button", told(name), { type: "button" });
    button.addEventListener("click", () => act(button, async () => {
      await ask("POST", `/issuers/${session.agency}/cases/${one.case_id}/answer`, { state, text: word.value.trim() });
      await cases();
    }));
    acts.append(button);
  }
  box.append(element("label", told("word"), { htmlFor: id }), word, acts);
  return box;
}

act(null, start);
