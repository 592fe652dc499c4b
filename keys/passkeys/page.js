// Passkeys in a browser: ask the service, let the authenticator answer, bring the answer back.
// An act on a staff page that wants one shown just now: `ask` in app/web/static/staff.js.
"use strict";

const at = (id) => document.getElementById(id);
const say = (text) => { at("said").textContent = text; at("said").hidden = !text; };

async function call(path, body) {
  const token = at("token").value.trim();
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method: "POST", headers, body: body ? JSON.stringify(body) : undefined });
  const told = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(told.message ? `${told.message.zh} · ${told.message.en}` : `HTTP ${answer.status}`);
  return told;
}

async function show(kind) {
  const asked = await call(`/passkeys/${kind}-options`);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key);
  const shown = await navigator.credentials.get({ publicKey });
  return call(`/passkeys/${kind}`, { credential: shown.toJSON() });
}

const SAYINGS = {
  NotAllowedError: "未完成：已取消或超时，请重试。 · Not done: cancelled, or too late. Try again.",
  InvalidStateError: "该设备上的通行密钥已登记，请换一个。 · This device's passkey is registered already. Use another.",
  SecurityError: "本页地址不能使用通行密钥，请用正式域名打开。 · Passkeys do not work at this address. Use the service's name.",
};

const acts = {
  "sign-in": async () => {
    const done = await show("sign-in");
    at("token").value = done.access_token;
    say(`已登录。命令行请使用 · Signed in. For the command line: LICENCE_TOKEN=${done.access_token}`);
  },
  "register": async () => {
    const label = at("label").value.trim();
    if (!label) throw new Error("请填写名称。 · Give it a name.");
    const asked = await call("/passkeys/registration-options");
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.public_key);
    const made = await navigator.credentials.create({ publicKey });
    await call("/passkeys", { credential: made.toJSON(), label });
    say("已登记。 · Registered.");
  },
  "step-up": async () => {
    await show("step-up");
    say("已确认，十分钟内有效。 · Confirmed for ten minutes.");
  },
};

async function act(name) {
  say("");
  for (const one of Object.keys(acts)) at(one).disabled = true;
  try {
    await acts[name]();
  } catch (error) {
    say(SAYINGS[error.name] || error.message);
  } finally {
    for (const one of Object.keys(acts)) at(one).disabled = false;
  }
}

const able = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
if (!able) say("此浏览器不支持通行密钥，请换用新版浏览器。 · This browser has no passkeys. Use a newer one.");
else if (/^[0-9.]+$|^\[/.test(location.hostname)) {
  say("通行密钥须用域名打开本页（如 localhost），不能用 IP。 · Passkeys need a name in the address (localhost), no IP.");
}
for (const name of Object.keys(acts)) {
  at(name).disabled = !able;
  at(name).addEventListener("click", () => act(name));
}
