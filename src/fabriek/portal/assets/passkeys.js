// Passkeys: asks the server what to sign, the browser for the answer, and hands that back. Without this file the other ways in still work.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

async function send(box, address, body) {
  const answer = await fetch(address, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-Fabriek-Seal": box.dataset.seal },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${said.detail}. ${said.fix}`);
  return said;
}

function opened(asked) {
  const listed = (all) => (all || []).map((one) => ({ ...one, id: bytes(one.id) }));
  const made = { ...asked, challenge: bytes(asked.challenge) };
  if (asked.user) made.user = { ...asked.user, id: bytes(asked.user.id) };
  if (asked.excludeCredentials) made.excludeCredentials = listed(asked.excludeCredentials);
  if (asked.allowCredentials) made.allowCredentials = listed(asked.allowCredentials);
  return made;
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
}

async function show(box) {
  const publicKey = opened(await send(box, `${box.dataset.passkey}/challenge`, {}));
  const makes = "makes" in box.dataset;
  const credential = makes ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
  const named = box.querySelector("[data-name]");
  const said = await send(box, box.dataset.passkey, { answer: written(credential), to: box.dataset.to, name: named ? named.value : "" });
  location.assign(said.to);
}

for (const box of document.querySelectorAll("[data-passkey]")) {
  const button = box.querySelector("button");
  const wrong = box.querySelector("[data-wrong]");
  if (!window.PublicKeyCredential) {
    wrong.textContent = "This browser has no passkeys here. On this machine, open the portal at http://localhost.";
    continue;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    wrong.textContent = "";
    try {
      await show(box);
    } catch (error) {
      wrong.textContent = error.name === "NotAllowedError" ? "Nothing was shown. Try again." : error.message;
    } finally {
      button.disabled = false;
    }
  });
}
