// The console of an agency's clerks: issue by the type's own form, one or many; find, change, renew; answer.
"use strict";

const told = (name) => at("console-words").dataset[name];
const session = { agency: "", cursor: "" };

async function opened(me) {
  session.agency = me.subject;
  const { display } = await call("GET", `/.well-known/openid-credential-issuer/issuers/${me.subject}`);
  const named = display.find((one) => one.locale.startsWith(document.documentElement.lang)) || display[0];
  at("who").textContent = [named.name, me.person].filter(Boolean).join(" · ");
  const mine = [...document.querySelectorAll("form.issue")].filter((one) => one.dataset.agencies.split(" ").includes(session.agency));
  for (const id of ["type", "batch-type", "many-type"]) {
    at(id).replaceChildren(...mine.map((one) => element("option", one.dataset.name, { value: one.dataset.type })));
  }
  at("no-types").hidden = mine.length > 0;
  pick();
  pickMany();
}

const formOf = (type) => document.querySelector(`form.issue[data-type="${type}"]`);
const nameOf = (type) => (formOf(type) ? formOf(type).dataset.name : type);

// Issue

function pick() {
  for (const one of document.querySelectorAll("form.issue")) one.hidden = one.dataset.type !== at("type").value;
}
at("type").addEventListener("change", () => {
  if (renewal.of && renewal.of.licence_type !== at("type").value) renew(null);
  pick();
});

/** Issue anew what takes another licence's place, or nothing of the kind. */
const renewal = { of: null };
function renew(one) {
  renewal.of = one;
  at("renewing").hidden = !one;
  at("renewing").textContent = one ? `${told("renewing")}${one.licence_id}` : "";
  for (const button of document.querySelectorAll(".no-renewal")) button.hidden = !one;
  if (!one) return;
  at("type").value = one.licence_type;
  pick();
  location.hash = "issue";
}
for (const button of document.querySelectorAll(".no-renewal")) button.addEventListener("click", () => renew(null));

for (const form of document.querySelectorAll("form.issue")) {
  const attempt = { key: "", sent: "" }; // the same content again, after an answer that was lost, issues once
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter, async () => {
      const body = { claims: {}, ...meant(form), licence_type: form.dataset.type };
      for (const role of ["guardian", "representative"]) if (body[role] && !body[role].code) delete body[role];
      const way = renewal.of ? `/${encodeURIComponent(renewal.of.licence_id)}/renew` : "";
      const sent = way + JSON.stringify(body);
      if (attempt.sent !== sent) Object.assign(attempt, { key: crypto.randomUUID(), sent });
      const made = await ask("POST", `/issuers/${session.agency}/licences${way}`, body, { once: attempt.key });
      attempt.sent = "";
      renew(null);
      form.reset();
      say(`${told(made.delivered ? "issued" : "undelivered")}${made.licence_id}`, true);
    });
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
  const page = await found(query, cursor || "");
  if (!cursor) at("found").replaceChildren();
  at("found").append(...page.items.map(row));
  at("found-none").hidden = at("found").childElementCount > 0;
  session.cursor = page.next_cursor;
  at("found-more").hidden = !page.next_cursor;
}

/** By number of the holder, by a licence's identifier, or by reference and state. */
async function found(query, cursor) {
  const base = `/issuers/${session.agency}/licences`, code = at("whose").value.trim().toUpperCase(), named = at("reference").value.trim();
  const wanted = at("state").value;
  if (code) {
    const page = await ask("POST", `${base}/find`, { code_type: at("whose-type").value, code, cursor, limit: 20 });
    return { ...page, items: page.items.filter((one) => !wanted || one.state === wanted) };
  }
  if (named.startsWith("1.2.156.")) return { items: [await ask("GET", `${base}/${encodeURIComponent(named)}`)], next_cursor: null };
  return ask("GET", `${base}?${query}`);
}

function row(one) {
  const box = element("article", "", { className: "box" });
  const form = formOf(one.licence_type);
  const state = told(`state${one.state[0].toUpperCase()}${one.state.slice(1)}`);
  box.append(
    element("h3", nameOf(one.licence_type)),
    element("span", state, { className: `tag ${one.state === "valid" ? "good" : "bad"}` }),
    element("p", one.licence_id, { className: "text" }),
    element("p", [one.reference, `${one.valid_from} – ${one.valid_until || "∞"}`, causeName(one.cause)].filter(Boolean).join(" · "), { className: "soft" }),
  );
  const acts = element("div", "", { className: "row" });
  const button = (verb, name, danger) => {
    const made = element("button", told(name), { type: "button", className: danger ? "danger" : "" });
    made.addEventListener("click", () => act(made, () => change(one, verb, name)));
    acts.append(made);
  };
  if (one.state === "valid") button("suspend", "suspend", false);
  if (one.state === "suspended") button("reinstate", "reinstate", false);
  if (["valid", "suspended"].includes(one.state)) button("revoke", "revoke", true);
  if (one.state === "valid" && form) {
    const again = element("button", told("renew"), { type: "button" });
    again.addEventListener("click", () => renew(one));
    acts.append(again);
  }
  box.append(acts);
  return box;
}

const causesOf = (type) => (formOf(type) ? [...formOf(type).querySelector("template.causes").content.querySelectorAll("option")] : []);

async function change(one, verb, name) {
  const fitting = causesOf(one.licence_type).filter((cause) => cause.dataset.effect === verb);
  at("change-title").textContent = told(name);
  at("change-id").textContent = [nameOf(one.licence_type), one.reference, one.licence_id].filter(Boolean).join(" · ");
  at("cause").replaceChildren(...fitting.map((cause) => cause.cloneNode(true)));
  at("cause").parentElement.querySelector("label").hidden = at("cause").hidden = verb === "reinstate";
  const dialog = at("change");
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((done) => { dialog.addEventListener("close", done, { once: true }); });
  if (dialog.returnValue !== "yes") return;
  const body = verb === "reinstate" ? {} : { cause: at("cause").value };
  const made = await ask("POST", `/issuers/${session.agency}/licences/${one.licence_id}/${verb}`, body, { once: crypto.randomUUID() });
  say(made.licence_id ? told("done") : staffWord("two"), true);
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
  box.append(element("h3", told(one.kind)), element("p", `${moment(one.opened_at)} · ${one.about}`, { className: "text" }));
  if (one.kind === "correction") {
    const look = element("button", told("findIt"), { type: "button" });
    look.addEventListener("click", () => act(look, () => {
      at("whose").value = "";
      at("reference").value = one.about;
      location.hash = "#find";
      return find("");
    }));
    box.append(look);
  }
  for (const step of seen.timeline) {
    const said = element("p", "");
    said.append(element("bdi", step.text), element("small", ` ${moment(step.at)}`));
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

// Keys; figures

async function keys() {
  const { jwks } = await call("GET", `/.well-known/jwt-vc-issuer/issuers/${session.agency}`);
  at("key-list").replaceChildren(table("kid", ["kid", told("algorithm")], jwks.keys.map((one) => [element("span", one.kid, { className: "text" }), `${one.kty} ${one.crv}`])));
}

async function overview() {
  at("figure-box").replaceChildren(...figures(await ask("GET", `/issuers/${session.agency}/figures?days=30`), nameOf));
}

act(null, () => work(["agency", "clerk"], { find: () => find(""), batch: jobs, cases, many: changes, approvals, keys, figures: overview }, opened));
