// Keeps what is typed into a long form while it is typed. Without this file the form's own button keeps it.
"use strict";

document.querySelectorAll("form[data-autosave]").forEach((form) => {
  const status = form.querySelector("[data-saved]");
  let due = 0;
  let busy = false;
  const save = async () => {
    due = 0;
    if (busy) {
      due = setTimeout(save, 500);
      return;
    }
    busy = true;
    try {
      const sent = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: "POST", body: sent, credentials: "same-origin", headers: { Accept: "application/json" } });
      const said = await answer.json();
      if (answer.ok) form.elements.revision.value = said.revision;
      status.textContent = answer.ok ? said.saved : said.stale || form.dataset.failed;
    } catch {
      status.textContent = form.dataset.failed;
    } finally {
      busy = false;
    }
  };
  form.addEventListener("input", (event) => {
    // A row is taken away by the button alone: after that its number would be another row's.
    if (event.target.name.endsWith(".remove")) return;
    clearTimeout(due);
    due = setTimeout(save, 1000);
  });
});
