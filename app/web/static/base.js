// What all pages share: calling the API, saying what it said, and forms that are calls.
"use strict";

const at = (id) => document.getElementById(id);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const CITY = { timeZone: "Asia/Shanghai" };
const spelling = language === "zh" ? "zh-CN" : "en-GB";
/** An instant as people read it, in the city's time wherever the computer is, and as pages that the service writes spell it. */
const moment = (text) => new Date(text).toLocaleString(spelling, { ...CITY, dateStyle: "medium", timeStyle: "medium" });
/** Until when something is good: its last day, where it ends with one; else the instant. */
const until = (text) => {
  const end = new Date(text);
  const withTheDay = end.toLocaleTimeString("en-GB", CITY) === "00:00:00";
  return withTheDay ? new Date(end.getTime() - 1).toLocaleDateString(spelling, { ...CITY, dateStyle: "medium" }) : moment(text);
};
const words = (name) => at("words").dataset[name];

/** The field that is seen and that a JSON pointer of the API means, if a form has one. */
const fieldOf = (pointer) => [...document.getElementsByName(pointer.slice(1).replaceAll("/", "."))].find((one) => one.offsetParent);

/** What a fault is about, as the page calls it. */
function placeOf(pointer) {
  const field = pointer && fieldOf(pointer);
  return field && field.labels && field.labels.length ? field.labels[0].textContent.trim() : pointer || "";
}

/** What an API call refuses, in the page's language; `code` is stable. */
class Refusal extends Error {
  constructor(status, told) {
    const faults = (told.faults || []).map((one) => `${placeOf(one.pointer)} ${one.message ? one.message[language] : one.code || ""}`).join("\n");
    super((told.message ? told.message[language] : `HTTP ${status}`) + (faults ? `\n${faults}` : ""));
    this.fields = (told.faults || []).map((one) => one.pointer && fieldOf(one.pointer)).filter(Boolean);
    this.status = status;
    this.code = told.code;
  }
}

/** What stands between several, and after what is named. */
const comma = language === "zh" ? "、" : ", ";

/** A claim's value as people read it. */
function spelt(value) {
  if (typeof value === "boolean") return value ? "✓" : "✗";
  if (Array.isArray(value)) return value.map(spelt).join(comma);
  return value && typeof value === "object" ? Object.entries(value).map(([name, one]) => `${name}: ${spelt(one)}`).join("；") : String(value);
}

/** The service's clock: a phone's may be wrong by minutes. */
const clock = { skew: 0, now: () => Date.now() + clock.skew };

async function call(method, path, body, how = {}) {
  const headers = { ...(how.headers || {}) };
  if (body !== undefined) headers["Content-Type"] = how.kind || "application/json"; // of a kind of its own it is sent as it is
  if (method === "POST" && how.once) headers["Idempotency-Key"] = how.once;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined || how.kind ? body : JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Error(words("noAnswer"));
  }
  clock.skew = Date.parse(answer.headers.get("date")) - Date.now() || 0;
  const json = (answer.headers.get("content-type") || "").includes("json");
  const text = json ? await answer.text() : "";
  const told = how.lines && answer.ok ? text.split("\n").filter(Boolean).map((line) => JSON.parse(line)) : text ? JSON.parse(text) : {};
  if (answer.status === 401 && document.body.classList.contains("signed-in")) {
    location.assign(`/wallet/sign-in?return_to=${encodeURIComponent(location.pathname)}`);
  }
  if (!answer.ok) throw new Refusal(answer.status, told);
  return how.file ? answer.blob() : told;
}

function say(text, good = false) {
  const box = at("said");
  box.textContent = text;
  box.hidden = !text;
  box.classList.toggle("good", good);
  if (text) box.scrollIntoView({ block: "nearest" });
}

/** What marks a field that was refused, and says where why is said. */
const MARKS = ["aria-invalid", "aria-describedby"];

/** Run an act of a button: once at a time, and say what was refused. */
async function act(button, work) {
  say("");
  for (const field of document.querySelectorAll("[aria-invalid]")) for (const name of MARKS) field.removeAttribute(name);
  if (button) button.disabled = true;
  try {
    return await work();
  } catch (error) {
    say(error.message);
    for (const field of error.fields || []) MARKS.forEach((name, place) => field.setAttribute(name, ["true", "said"][place]));
    if (error.fields && error.fields.length) error.fields[0].focus();
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

/** The JSON that a form means: names with dots nest, `data-list` names gather, empty fields stay out. */
function meant(form) {
  const made = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    const lists = field.dataset.list !== undefined;
    if (field.type === "checkbox" && lists && !field.checked) continue;
    let value = field.type === "checkbox" && !lists ? field.checked : field.value;
    if (value === "") continue;
    if (field.dataset.kind === "number") value = Number(value);
    if (field.dataset.kind === "lines") value = value.split("\n").map((one) => one.trim()).filter(Boolean);
    if (field.type === "date" && field.dataset.kind !== "day") value = `${value}T23:59:59+08:00`;
    const path = field.name.split(".");
    const last = path.pop();
    const inner = path.reduce((outer, name) => (outer[name] ??= {}), made);
    if (lists) (inner[last] ??= []).push(value);
    else inner[last] = value;
  }
  return made;
}

/** Forms with `data-call="METHOD /path"` are API calls; then the page goes to `data-then`, or says `data-done`. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.call) return;
  event.preventDefault();
  const [method, path] = form.dataset.call.split(" ");
  const body = method === "DELETE" || form.dataset.empty !== undefined ? undefined : meant(form);
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) return;
  act(event.submitter, async () => {
    await call(method, path, body, { once: crypto.randomUUID() });
    if (form.dataset.then) {
      if (form.dataset.done) sessionStorage.setItem("said", form.dataset.done);
      location.assign(form.dataset.then);
      return;
    }
    if (form.dataset.done) say(form.dataset.done, true);
    form.reset(); // sent: pressed again it would be sent again
  });
});

say(sessionStorage.getItem("said") || "", true); // what was done on the page that led here
sessionStorage.removeItem("said");

const connected = () => { at("offline").hidden = navigator.onLine; };
addEventListener("online", connected);
addEventListener("offline", connected);
connected();
