// The live parts of the portal: a log that grows, and fragments that refresh while their job runs.
// Without this file every page still shows the state at the moment it was asked for.
"use strict";

async function follow(box) {
  const lines = new TextDecoder();
  let offset = Number(box.dataset.offset || 0);
  for (let patience = 0; patience < 20; patience += 1) {
    try {
      const answer = await fetch(`${box.dataset.follow}?follow=true&offset=${offset}`, { credentials: "same-origin" });
      if (!answer.ok) return;
      const reader = answer.body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 24;
        offset += part.value.length;
        box.append(lines.decode(part.value, { stream: true }));
        if (atEnd) box.scrollTop = box.scrollHeight;
        patience = 0;
      }
      return;
    } catch {
      await new Promise((resume) => setTimeout(resume, 1000));
    }
  }
}

async function refresh(box) {
  while (box.isConnected) {
    await new Promise((resume) => setTimeout(resume, Number(box.dataset.every || 1500)));
    if (document.hidden) continue;
    try {
      const answer = await fetch(box.dataset.refresh, { credentials: "same-origin", headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector(`[data-refresh="${CSS.escape(box.dataset.refresh)}"]`);
      if (!fresh) {
        const last = page.querySelector(`#${CSS.escape(box.id)}`);
        if (last) box.replaceWith(last);
        return;
      }
      box.replaceChildren(...fresh.childNodes);
    } catch {
      continue;
    }
  }
}

document.querySelectorAll("[data-follow]").forEach(follow);
document.querySelectorAll("[data-refresh]").forEach(refresh);
