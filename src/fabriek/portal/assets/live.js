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

// Asks for the fragment anew; false once there is nothing more to come.
async function renew(box) {
  const answer = await fetch(box.dataset.refresh, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(`[data-refresh="${CSS.escape(box.dataset.refresh)}"]`);
  if (fresh) {
    box.replaceChildren(...fresh.childNodes);
    return true;
  }
  const last = page.querySelector(`#${CSS.escape(box.id)}`);
  if (last) box.replaceWith(last);
  return false;
}

async function refresh(box) {
  while (box.isConnected) {
    await new Promise((resume) => setTimeout(resume, Number(box.dataset.every || 1500)));
    if (document.hidden) continue;
    try {
      if (!(await renew(box))) return;
    } catch {
      continue;
    }
  }
}

// Hears what happens, and asks for the fragment when something did. A browser keeps few lines open to one server, over all its
// windows: one that nobody looks at gives its line back.
function listen(box) {
  const log = document.querySelector("[data-log]");
  let source = null;
  let due = 0;
  let offset = Number(log ? log.dataset.log : 0);
  const soon = () => {
    due ||= setTimeout(async () => {
      due = 0;
      try {
        await renew(box);
      } catch {
        return; // the channel comes back, and says first of all how things are
      }
    }, 700);
  };
  const open = () => {
    source = new EventSource(`${box.dataset.events}?log=${log ? 1 : 0}&offset=${offset}`);
    for (const name of ["run", "points", "again"]) source.addEventListener(name, soon);
    source.addEventListener("log", (event) => {
      const said = JSON.parse(event.data);
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 24;
      log.append(said.text);
      offset = said.end;
      if (atEnd) log.scrollTop = log.scrollHeight;
    });
    source.addEventListener("end", () => {
      source.close();
      document.removeEventListener("visibilitychange", turn);
      soon();
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      document.removeEventListener("visibilitychange", turn);
      refresh(box);
    });
  };
  const turn = () => (document.hidden ? source.close() : open());
  document.addEventListener("visibilitychange", turn);
  open();
}

document.querySelectorAll("[data-follow]").forEach(follow);
document.querySelectorAll("[data-refresh]").forEach((box) => (box.dataset.events ? listen(box) : refresh(box)));
