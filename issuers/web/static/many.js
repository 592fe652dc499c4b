// Many licences changed as one: named in a text or a file, looked at, done or proposed, agreed on by another clerk, undone.
"use strict";

const NAMED = /1\.2\.156\.3005\.2(?:\.[0-9A-Z]+)+/g;
const ofMany = (rest = "") => `/issuers/${session.agency}/status-changes${rest}`;
const many = { left: [], attempt: { key: "", sent: "" } }; // the same content again, after an answer that was lost, is done once

const namedMany = () => [...new Set(at("many-licences").value.match(NAMED) || [])];
const FROM = { suspended: "suspend", valid: "reinstate", revoked: "revoke" };

/** What a cause is called, of whichever type: a proposal says its code. */
function causeName(code) {
  const known = [...document.querySelectorAll("form.issue")].flatMap((form) => causesOf(form.dataset.type));
  const one = known.find((cause) => cause.value === code);
  return one ? one.textContent : code || "";
}

function pickMany() {
  const change = at("many-change").value, none = change === "reinstate";
  const fitting = causesOf(at("many-type").value).filter((cause) => cause.dataset.effect === change);
  at("many-cause").replaceChildren(...fitting.map((cause) => cause.cloneNode(true)));
  at("many-cause-box").hidden = none;
  forgetMany();
}

function forgetMany() {
  at("many-seen").hidden = true;
}

function meantMany() {
  const change = at("many-change").value;
  return { change, cause: change === "reinstate" ? null : at("many-cause").value || null, licences: namedMany() };
}

for (const id of ["many-type", "many-change"]) at(id).addEventListener("change", pickMany);
for (const id of ["many-cause", "many-licences"]) at(id).addEventListener("input", forgetMany);

at("many-file").addEventListener("change", (event) => act(null, async () => {
  const [file] = event.target.files;
  if (!file) return;
  const found = (await file.text()).match(NAMED) || [];
  at("many-licences").value = [...new Set([...namedMany(), ...found])].join("\n");
  forgetMany();
  if (!found.length) throw new Error(told("namesNone"));
}));

at("many-look").addEventListener("click", (event) => act(event.currentTarget, look));

async function look() {
  const body = meantMany();
  if (!body.licences.length) throw new Error(told("namesNone"));
  const made = await ask("POST", ofMany(), { ...body, preview: true });
  if (JSON.stringify(meantMany()) !== JSON.stringify(body)) return; // it was changed meanwhile: that is of another list
  many.left = made.left.map((one) => one.licence_id);
  at("many-said").textContent = `${told("wouldChange")} ${made.changed} / ${body.licences.length}`;
  at("many-left").replaceChildren();
  if (made.left.length) {
    const why = (code) => element("a", code, { href: `/problems/${code}` });
    const rows = made.left.map((one) => [element("span", one.licence_id, { className: "text" }), [why(one.code)]]);
    at("many-left").append(element("h3", told("wouldNot")), table(told("wouldNot"), [told("licence"), told("reason")], rows));
  }
  at("many-without").hidden = !made.left.length;
  at("many-do").disabled = made.left.length > 0 || !made.changed;
  at("many-seen").hidden = false;
}

at("many-without").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const left = new Set(many.left);
  at("many-licences").value = namedMany().filter((one) => !left.has(one)).join("\n");
  forgetMany();
  if (namedMany().length) await look();
}));

/** Show what is to become of which licences, every one by its name; returns whether that was agreed to. */
async function agreed(change, cause, licences, verb) {
  at("agree-title").textContent = told(change);
  at("agree-said").textContent = [`${licences.length} ${told("licences")}`, causeName(cause)].filter(Boolean).join(" · ");
  at("agree-licences").textContent = licences.join("\n");
  at("agree-yes").textContent = verb;
  const dialog = at("agree");
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((done) => { dialog.addEventListener("close", done, { once: true }); });
  return dialog.returnValue === "yes";
}

at("many-do").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const body = meantMany(), sent = JSON.stringify(body);
  if (!await agreed(body.change, body.cause, body.licences, told("goOn"))) return;
  if (many.attempt.sent !== sent) many.attempt = { key: crypto.randomUUID(), sent };
  const made = await ask("POST", ofMany(), body, { once: many.attempt.key });
  many.attempt.sent = "";
  at("many-licences").value = "";
  forgetMany();
  await changes();
  say(made.proposal_id ? staffWord("two") : `${told("changed")} ${made.changed}`, true);
}));

/** What was done, the newest first; a suspension can be undone as a whole for an hour. */
async function changes() {
  const made = await ask("GET", ofMany());
  const undo = (one) => doing(told("undo"), () => ask("POST", ofMany(`/${one.change_id}/undo`)), { said: told("undone") });
  at("many-done").replaceChildren(table(told("doneBefore"), [told("when"), told("what"), told("licences"), told("state"), told("act")], made.changes.map((one) => [
    when(one.at), [told(one.change), one.cause ? ` · ${causeName(one.cause)}` : ""].join(""), String(one.licences),
    one.undone_at ? `${told("undone")} ${when(one.undone_at)}` : one.undo_until ? `${told("undoUntil")} ${when(one.undo_until)}` : "",
    one.undo_until ? [undo(one)] : [],
  ])));
}

/** What was proposed; whoever approves has looked at every licence, and another than who proposed it. */
async function approvals() {
  const { items } = await ask("GET", ofMany());
  const path = (one) => ofMany(`/${one.proposal_id}`);
  const approve = (one) => doing(told("lookAndApprove"), async () => {
    const { content, content_hash: hash } = await ask("GET", path(one));
    if (!await agreed(FROM[content.to], content.cause, content.licences, told("approve"))) return null;
    return ask("POST", `${path(one)}/approve`, { content_hash: hash });
  });
  at("proposal-list").replaceChildren(table(told("what"), [told("what"), told("licences"), told("who"), told("until"), told("state"), told("act")], items.map((one) => [
    [told(FROM[one.content.to]), one.content.cause ? ` · ${causeName(one.content.cause)}` : ""].join(""),
    String(one.content.licences), one.proposed_by, when(one.expires_at), told(one.state),
    one.state === "waiting" ? [approve(one), doing(told("decline"), () => ask("POST", `${path(one)}/decline`).then(() => undefined))] : [],
  ])));
}
