// A counter's device: a key that never leaves the browser, tokens for ten minutes, a proof for every call (RFC 9449).
"use strict";

const device = { keys: null, client: null, token: null, until: 0 };
const b64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const utf8 = (text) => new TextEncoder().encode(text);
const TOKEN_MARGIN_SECONDS = 60;

/** The one row this browser keeps of being a counter's. */
function kept(mode, work) {
  return new Promise((done, failed) => {
    const opening = indexedDB.open("counter", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("device");
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const asked = work(opening.result.transaction("device", mode).objectStore("device"));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    };
  });
}

async function signed(header, payload) {
  const input = `${b64(utf8(JSON.stringify(header)))}.${b64(utf8(JSON.stringify(payload)))}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, device.keys.privateKey, utf8(input));
  return `${input}.${b64(signature)}`;
}

const seconds = () => Math.floor(clock.now() / 1000);

async function proof(method, path, token) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", device.keys.publicKey);
  const payload = { jti: crypto.randomUUID(), htm: method, htu: location.origin + path.split("?")[0], iat: seconds() };
  if (token) payload.ath = b64(await crypto.subtle.digest("SHA-256", utf8(token)));
  return signed({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }, payload);
}

async function enrol(code, name) {
  device.keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const made = await call("POST", "/verifier/enrol", { code, name }, { headers: { DPoP: await proof("POST", "/verifier/enrol") } });
  device.client = made.client_id;
  await kept("readwrite", (store) => store.put({ keys: device.keys, client: device.client }, "this"));
}

/** Whether this page is a counter's own machine's: its key is there, not in the browser. */
const local = document.body.classList.contains("local");

async function known() {
  if (local) return true;
  const row = await kept("readonly", (store) => store.get("this"));
  if (row) Object.assign(device, row);
  return Boolean(row);
}

async function forgotten() {
  await kept("readwrite", (store) => store.delete("this"));
}

async function token() {
  if (device.token && clock.now() < device.until) return device.token;
  const now = seconds();
  const assertion = await signed({ typ: "client-authentication+jwt", alg: "ES256" }, {
    iss: device.client, sub: device.client, aud: `${location.origin}/oauth/token`, iat: now, exp: now + 60, jti: crypto.randomUUID(),
  });
  const answer = await fetch("/oauth/token", {
    method: "POST",
    headers: { DPoP: await proof("POST", "/oauth/token") },
    body: new URLSearchParams({
      grant_type: "client_credentials", client_assertion: assertion,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }),
  }).catch(() => { throw new Error(words("noAnswer")); });
  const told = await answer.json();
  if (!answer.ok) throw new Refusal(answer.status, { code: told.error, message: { zh: `本设备不能登录：${told.error_description}`, en: `This device cannot sign in: ${told.error_description}` } });
  device.token = told.access_token;
  device.until = clock.now() + (told.expires_in - TOKEN_MARGIN_SECONDS) * 1000;
  return device.token;
}

async function headers(method, path) {
  if (local) return {};
  const secret = await token();
  return { Authorization: `DPoP ${secret}`, DPoP: await proof(method, path, secret) };
}

/** A call of the API as this device; `blob` is a body that is no JSON. */
async function asDevice(method, path, body, blob) {
  if (!blob) return call(method, path, body, { headers: await headers(method, path) });
  const answer = await fetch(path, { method, body: blob, headers: { ...(await headers(method, path)), "Content-Type": blob.type } });
  const told = await answer.json();
  if (!answer.ok) throw new Refusal(answer.status, told);
  return told;
}

async function fileOf(path) {
  const answer = await fetch(path, { headers: await headers("GET", path) });
  if (!answer.ok) throw new Refusal(answer.status, await answer.json());
  return answer.blob();
}
