// The wallet's service worker: keeps the offline page and what it loads, and no page with anything of the holder's.
"use strict";

const SHELL = "shell-1";
const PAGE = "/w/offline";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const page = await fetch(PAGE, { cache: "no-store" });
    const loads = [...(await page.clone().text()).matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((one) => one[1]);
    const shell = await caches.open(SHELL);
    await shell.put(PAGE, page);
    await shell.addAll(loads);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const url = new URL(event.request.url);
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match(PAGE)));
  } else if (url.pathname.startsWith("/static/")) {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});
