// People at work, clerks and the operator's: signing in, tabs, calls with their token, tables, plots.
"use strict";

const element = (kind, text, more = {}) => Object.assign(document.createElement(kind), { textContent: text }, more);
const staff = { token: sessionStorage.getItem("token"), me: null, tabs: {}, opened: () => {}, roles: [] };
const staffWord = (name) => at("staff-words").dataset[name];
const when = (text) => (text ? moment(text) : "—");

/** Call the API as whoever is signed in; an act that wants a passkey shown just now has it shown, and is tried again. */
async function ask(method, path, body, how = {}) {
  const send = () => call(method, path, body, { ...how, headers: { Authorization: `Bearer ${staff.token}` } });
  try {
    return await send();
  } catch (error) {
    if (error.status === 401 && staff.me && !how.stay) signedOut(); // it is over: whoever comes next signs in
    if (error.code !== "step_up_needed") throw error;
    await showPasskey("step-up");
    return send();
  }
}

async function showPasskey(kind) {
  const headers = staff.token ? { Authorization: `Bearer ${staff.token}` } : {};
  const asked = await call("POST", `/passkeys/${kind}-options`, undefined, { headers });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key);
  const shown = await navigator.credentials.get({ publicKey });
  return call("POST", `/passkeys/${kind}`, { credential: shown.toJSON() }, { headers });
}

// Who it is

/** Open the page for people of some roles: `opened` is told who it is, `tabs` load what their names say. */
async function work(roles, tabs, opened) {
  Object.assign(staff, { roles, tabs, opened });
  await start();
}

async function start() {
  at("sign-in").hidden = Boolean(staff.token);
  if (!staff.token) return;
  try {
    const me = await ask("GET", "/caller");
    if (!staff.roles.includes(me.role)) throw new Error(staffWord("noWork"));
    staff.me = me;
  } catch (error) {
    signedOut();
    throw error;
  }
  at("who").textContent = staff.me.person ? `${staff.me.subject} · ${staff.me.person}` : staff.me.subject;
  await staff.opened(staff.me);
  at("work").hidden = false;
  for (const link of document.querySelectorAll(".tabs a[data-roles]")) {
    link.hidden = !link.dataset.roles.split(" ").includes(staff.me.role);
  }
  turn();
}

/** Whoever comes next finds nothing of whoever was here: the page begins anew. */
function signedOut() {
  sessionStorage.removeItem("token");
  staff.token = null;
  if (staff.me) location.replace(location.pathname);
  at("work").hidden = true;
  at("sign-in").hidden = false;
}

function signedIn(token) {
  staff.token = token;
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
  await signedIn((await showPasskey("sign-in")).access_token);
}));
at("sign-out").addEventListener("click", (event) => act(event.currentTarget, async () => {
  await ask("POST", "/passkeys/sign-out").catch(() => { /* a system's token is not signed out, only forgotten here */ });
  signedOut();
}));

// One tab at a time

function turn() {
  const links = [...document.querySelectorAll(".tabs a")].filter((link) => !link.hidden);
  const wanted = links.find((link) => link.hash === location.hash) || links[0];
  for (const link of document.querySelectorAll(".tabs a")) {
    document.querySelector(link.hash).hidden = link !== wanted;
    if (link === wanted) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (staff.token && wanted) reload();
}
addEventListener("hashchange", turn);

/** Load the open tab anew. */
function reload() {
  const open = document.querySelector(".tabs a[aria-current]").hash.slice(1);
  const load = staff.tabs[open];
  return load ? act(null, load) : undefined;
}

/** Forms with `data-ask="METHOD /path"` are calls with the token; what came of it is said by `told`. */
function asking(form, told) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [method, path] = form.dataset.ask.split(" ");
    act(event.submitter, async () => {
      const made = await ask(method, path, meant(form), { once: crypto.randomUUID() });
      form.reset();
      await reload();
      say(made.state === "waiting" ? staffWord("two") : told(made), true);
    });
  });
}

/** A button that does something and says so, and loads its tab anew; what weighs is asked for once more: `about` what. */
function doing(name, run, { about = "", said = staffWord("done") } = {}) {
  const danger = Boolean(about);
  const button = element("button", name, { type: "button", className: danger ? "danger" : "" });
  button.addEventListener("click", () => act(button, async () => {
    if (danger && !window.confirm(`${name} · ${about}`)) return;
    const made = await run();
    if (made === null) return;
    await reload();
    say(made && made.state === "waiting" ? staffWord("two") : said, true);
  }));
  return button;
}

// What is looked over

/** A table that scrolls on its own; a cell is a text or a node. */
function table(caption, heads, rows) {
  const box = element("div", "", { className: "scroll", tabIndex: 0 });
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", caption);
  const made = element("table", "");
  const head = element("tr", "");
  head.append(...heads.map((text) => element("th", text, { scope: "col" })));
  made.append(element("caption", caption, { className: "sr" }), element("thead", ""), element("tbody", ""));
  made.tHead.append(head);
  for (const cells of rows) {
    const row = element("tr", "");
    row.append(...cells.map((cell) => {
      const data = element("td", "");
      data.append(...(Array.isArray(cell) ? cell : [cell ?? "—"]));
      return data;
    }));
    made.tBodies[0].append(row);
  }
  box.append(made);
  if (!rows.length) box.replaceChildren(element("p", staffWord("none"), { className: "empty" }));
  return box;
}

const SVG = "http://www.w3.org/2000/svg";
const drawn = (kind, more) => {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(more)) made.setAttribute(name, value);
  return made;
};

/** One bar a day; what it shows is said in words besides, and stands in the table below. */
function plot(name, days, count, kind) {
  const most = Math.max(1, ...days.map(count)), total = days.reduce((sum, day) => sum + count(day), 0);
  const box = element("figure", ""), width = 600, height = 120, step = width / days.length;
  const picture = drawn("svg", { viewBox: `0 0 ${width} ${height + 4}`, role: "img", preserveAspectRatio: "none", class: `plot ${kind}` });
  picture.setAttribute("aria-label", `${name}: ${total}`);
  days.forEach((day, place) => {
    const tall = Math.round((count(day) / most) * height);
    const bar = drawn("rect", { x: place * step + 1, y: height - tall + 2, width: Math.max(1, step - 2), height: tall });
    bar.append(drawn("title", {}));
    bar.firstChild.textContent = `${day.day}: ${count(day)}`;
    picture.append(bar);
  });
  box.append(element("figcaption", `${name}: ${total}`), picture);
  return box;
}

/** How much of the most: a bar beside a number. */
function bar(count, most, kind) {
  const picture = drawn("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: `bar ${kind}`, "aria-hidden": "true" });
  picture.append(drawn("rect", { x: 0, y: 0, width: Math.max(1, Math.round((count / Math.max(1, most)) * 100)), height: 10 }));
  return [picture, String(count)];
}

/** Figures as plots and tables. */
function figures(made, names) {
  const shown = (day) => day.accepted + day.refused + day.cannot_confirm;
  const word = staffWord, reasons = Object.entries(made.not_accepted_by_reason);
  const avoided = Math.max(0, ...made.items.map((one) => one.proofs_avoided)), most = Math.max(0, ...reasons.map(([, count]) => count));
  return [
    plot(word("issued"), made.days, (day) => day.issued, "main"),
    plot(word("shown"), made.days, shown, "main"),
    plot(word("refused"), made.days, (day) => day.refused + day.cannot_confirm, "bad"),
    element("h3", word("byItem")),
    table(word("byItem"), [word("item"), word("shown"), word("avoided")],
      made.items.map((one) => [one.name[language] || one.key, String(one.verified), bar(one.proofs_avoided, avoided, "main")])),
    element("h3", word("byReason")),
    table(word("byReason"), [word("reason"), word("count")],
      reasons.map(([code, count]) => [element("a", code, { href: `/problems/${code}` }), bar(count, most, "bad")])),
    element("h3", word("byType")),
    table(word("byType"), [word("type"), word("count")],
      Object.entries(made.issued_by_type).map(([key, count]) => [names(key), String(count)])),
    element("h3", word("byDay")),
    table(word("byDay"), [word("day"), word("issued"), word("accepted"), word("refused"), word("unsure")],
      made.days.toReversed().map((day) => [day.day, ...["issued", "accepted", "refused", "cannot_confirm"].map((name) => String(day[name]))])),
  ];
}
