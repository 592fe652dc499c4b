// The operator's page: figures, agencies, counters, keys, what two must agree on, items, webhooks; audit and support.
"use strict";

const word = (name) => at("operator-words").dataset[name];
const types = Object.fromEntries(JSON.parse(word("types")).map((one) => [one.key, one.name]));
const typeName = (key) => types[key] || key;
const named = (name) => name[language] || name.zh || "";
const DAY = 86400000;
const pages = { stream: "", after: 0, deliveries: null, dead: false };

/** Show what is told this once, until somebody puts it away. */
function tell(box, text) {
  at(box).textContent = text;
  at(`${box}-box`).hidden = false;
  at(`${box}-box`).scrollIntoView({ block: "nearest" });
}
for (const button of document.querySelectorAll("button[data-clears]")) {
  button.addEventListener("click", () => { at(button.dataset.clears).textContent = ""; button.parentElement.hidden = true; });
}

async function overview() {
  at("figure-box").replaceChildren(...figures(await ask("GET", "/admin/figures?days=30"), typeName));
}

async function agencies() {
  const { items } = await ask("GET", "/admin/agencies");
  at("give-agency").replaceChildren(...items.map((one) => element("option", named(one.name), { value: one.key })));
  at("agency-list").replaceChildren(table(word("agency"), [word("key"), word("name"), word("maySign")], items.map((one) => [
    one.key, named(one.name),
    one.may_sign.flatMap((key) => [
      element("span", `${typeName(key)} `),
      doing(word("withdraw"), () => ask("DELETE", `/admin/agencies/${one.key}/types/${key}`), { about: `${named(one.name)} · ${typeName(key)}` }),
      element("br", ""),
    ]),
  ])));
}

at("give").addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, async () => {
    const made = await ask("PUT", `/admin/agencies/${at("give-agency").value}/types/${at("give-type").value}`, {});
    await reload();
    say(staffWord(made.state === "waiting" ? "two" : "done"), true);
  });
});

async function counters() {
  const { items } = await ask("GET", "/admin/counters");
  at("counter-list").replaceChildren(table(word("agency"), [word("key"), word("name"), word("agency"), word("channel"), word("state"), word("act")], items.map((one) => [
    one.key, named(one.name), one.agency, one.channel, word(one.suspended ? "suspended" : "working"),
    one.suspended
      ? [doing(word("resume"), () => ask("POST", `/admin/counters/${one.key}/resume`))]
      : [
        doing(word("enrol"), async () => {
          const made = await ask("POST", `/admin/counters/${one.key}/enrolment-codes`);
          tell("code", made.code);
        }),
        doing(word("suspend"), () => ask("POST", `/admin/counters/${one.key}/suspend`), { about: named(one.name) }),
      ],
  ])));
}

async function keys() {
  const { items } = await ask("GET", "/admin/keys");
  at("key-list").replaceChildren(table(word("owner"), [word("owner"), word("purpose"), word("state"), word("since"), "kid", word("act")], items.map((one) => [
    one.owner, meaning(one.purpose), one.here ? meaning(one.state) : `${meaning(one.state)} · ${word("kept")}`, when(one.activated_at || one.created_at),
    element("span", one.kid, { className: "text" }),
    [
      ...(one.state === "active" && one.here
        ? [doing(word("rotate"), () => ask("POST", "/admin/keys/rotate", { owner: one.owner, purpose: one.purpose }), { about: `${one.owner} · ${meaning(one.purpose)}` })]
        : []),
      ...(one.state === "compromised" ? [] : [doing(word("stolen"), () => stolen(one.kid))]),
    ],
  ])));
}

/** What a code of the API is called on a page; one without a word stays itself. */
const meaning = (code) => at("operator-words").dataset[`is${code.replace(/(^|[._])([a-z])/g, (_all, _gap, letter) => letter.toUpperCase())}`] || code;

async function stolen(kid) {
  const since = window.prompt(word("stolenSince"), new Date().toISOString());
  return since === null ? null : ask("POST", `/admin/keys/${kid}/compromise`, { since });
}

async function approvals() {
  const { items } = await ask("GET", "/admin/proposals");
  at("proposal-list").replaceChildren(table(word("what"), [word("what"), word("who"), word("until"), word("state"), word("act")], items.map((one) => [
    [element("strong", meaning(one.kind)), element("pre", JSON.stringify(one.content, null, 1))], one.proposed_by, when(one.expires_at), meaning(one.state),
    one.state === "waiting"
      ? [
        doing(word("approve"), async () => {
          const done = await ask("POST", `/admin/proposals/${one.proposal_id}/approve`, { content_hash: one.content_hash });
          if (done.made && done.made.secret) tell("approved", done.made.secret);
        }, { about: `${meaning(one.kind)} · ${one.proposed_by}` }),
        doing(word("decline"), () => ask("POST", `/admin/proposals/${one.proposal_id}/decline`).then(() => undefined)),
      ]
      : [],
  ])));
}

async function reports() {
  const found = await ask("GET", "/admin/reports");
  const matters = Object.fromEntries((await ask("GET", "/admin/service-items")).items.map((one) => [one.key, named(one.name)]));
  at("report-list").replaceChildren(table(word("reported"), [word("at"), word("asked"), word("matter"), word("reported")], found.items.map((one) => [
    when(one.asked_at), one.counter, matters[one.service_item] || one.service_item, one.reported,
  ])));
}

async function items() {
  const found = await ask("GET", "/admin/service-items");
  at("item-list").replaceChildren(...found.items.map((one) => {
    const box = element("article", "", { className: "box" });
    box.append(
      element("h3", named(one.name)),
      element("p", `${one.item_code} · v${one.version} · ${one.agency} · ${one.channels.join(", ")}`, { className: "soft text" }),
      element("p", `${word("visits")}: ${one.visits_before} → ${one.visits_after} · ${word("papers")}: ${one.replaces.join("、")}`),
      table(word("needs"), [word("needs"), word("what"), word("detail")], one.needs.map((need) => [
        `${named(need.name)}${need.either ? ` · ${word("either")}` : need.required ? "" : ` · ${word("optional")}`}`, named(need.why), need.claims.join(", "),
      ])),
      element("a", word("preview"), { href: `/operator/items/${one.key}`, className: "button" }),
    );
    return box;
  }));
}

async function webhooks() {
  const found = await ask("GET", "/admin/webhooks");
  at("webhook-list").replaceChildren(table(word("address"), [word("owner"), word("address"), word("events"), word("state"), word("act")], found.items.map((one) => [
    one.owner, element("span", one.url, { className: "text" }), one.types.join(", "),
    one.silent_since ? `${word("silent")} ${when(one.silent_since)}` : "",
    [
      doing(word("deliveries"), () => { pages.deliveries = one.webhook_id; pages.dead = false; }),
      doing(word("dead"), () => { pages.deliveries = one.webhook_id; pages.dead = true; }),
      doing(word("replay"), () => ask("POST", `/admin/webhooks/${one.webhook_id}/replay`, { since: new Date(Date.now() - DAY).toISOString() })),
      doing(word("end"), () => ask("DELETE", `/admin/webhooks/${one.webhook_id}`), { about: one.url }),
    ],
  ])));
  at("delivery-list").replaceChildren();
  if (!found.items.some((one) => one.webhook_id === pages.deliveries)) return;
  const sent = await ask("GET", `/admin/webhooks/${pages.deliveries}/deliveries?dead=${pages.dead}`);
  at("delivery-list").replaceChildren(element("h3", word("deliveries")), table(word("deliveries"), [word("at"), word("state"), word("tries"), word("said")], sent.items.map((one) => [
    when(one.at), one.delivered_at ? word("delivered") : one.dead_at ? word("dead") : `${word("next")} ${when(one.next_at)}`, String(one.tries), one.said,
  ])));
}

async function audit() {
  const { items: streams } = await ask("GET", "/admin/audit");
  at("checkpoint").textContent = await fetch("/log/checkpoint").then((answer) => (answer.ok ? answer.text() : ""));
  const before = at("stream").value;
  at("stream").replaceChildren(...Object.entries(streams).map(([name, acts]) => element("option", `${name} · ${acts} ${word("acts")}`, { value: name })));
  if (before) at("stream").value = before;
  await entries(0);
}

async function entries(after) {
  const query = new URLSearchParams({ stream: at("stream").value, after, limit: 50 });
  const page = await ask("GET", `/admin/audit/entries?${query}`);
  const rows = page.items.map((one) => [when(one.at), one.actor, one.act, element("span", one.subject, { className: "text" }), element("span", one.detail, { className: "text" })]);
  const made = table(word("acts"), [word("at"), word("actor"), word("actName"), word("subject"), word("detail")], rows);
  if (after) at("entry-list").append(made);
  else at("entry-list").replaceChildren(made);
  pages.after = page.next_after;
  at("entries-more").hidden = page.next_after === null;
}
at("stream").addEventListener("change", () => act(null, () => entries(0)));
at("entries-more").addEventListener("click", (event) => act(event.currentTarget, () => entries(pages.after)));

at("trace").addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, async () => {
    at("trace-found").replaceChildren();
    const one = await ask("GET", `/admin/requests/${encodeURIComponent(at("number").value.trim())}`);
    const reason = element("a", one.code, { href: `/problems/${one.code}` });
    at("trace-found").append(table(word("operation"), [word("at"), word("operation"), word("actor"), word("state"), word("code")], [[when(one.at), one.operation, one.caller, String(one.status), [reason]]]));
  });
});

asking(at("admit"), () => staffWord("done"));
asking(at("enrol"), () => staffWord("done"));
asking(at("hook"), (made) => {
  tell("secret", made.secret);
  return staffWord("done");
});

act(null, () => work(["operator", "auditor", "support"], { figures: overview, agencies, counters, keys, approvals, reports, items, webhooks, audit }, () => {}));
