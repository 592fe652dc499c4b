// Without a network: an offline pass that was made before, until it is over.
"use strict";

const kept = JSON.parse(localStorage.getItem("offline-pass") || "null");
if (kept && new Date(kept.until) > new Date()) {
  at("pass-qr").src = kept.qr;
  at("pass-text").textContent = kept.text;
  at("pass-until").textContent = moment(kept.until);
  at("kept").hidden = false;
  at("none").hidden = true;
} else localStorage.removeItem("offline-pass");
