// Sends files from the dataset's page by tus (tus-js-client). All that is chosen before the last byte arrived becomes one version.
// What was begun is remembered in this browser: after a reload the same files, chosen again, go on where they stood.
"use strict";

const AT_ONCE = 3;
const CHUNK_BYTES = 64 * 2 ** 20; // what the server keeps as one object
const RETRY_MILLISECONDS = [0, 1000, 2000, 4000, 8000, 15000, 30000, 60000];

class Refused extends Error {}

async function ask(method, address) {
  const answer = await fetch(address, { method, credentials: "same-origin" });
  if (answer.ok) return answer.json();
  throw new Refused(words(await answer.text(), answer.status), { cause: answer.status });
}

function words(body, status) {
  try {
    const problem = JSON.parse(body);
    return problem.fix ? `${problem.detail} (${problem.fix})` : problem.detail;
  } catch {
    return `the server answered ${status}`;
  }
}

function shown(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  for (; bytes >= 1024 && step < units.length - 1; step += 1) bytes /= 1024;
  return `${step ? bytes.toFixed(1) : bytes} ${units[step]}`;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// Every file of what was dropped, folders opened, with its path.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const found = [];
  async function look(entry) {
    if (entry.isFile) {
      const file = await new Promise((good, bad) => entry.file(good, bad));
      found.push({ file, path: entry.fullPath.replace(/^\//, "") });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const part = await new Promise((good, bad) => reader.readEntries(good, bad));
      if (!part.length) return;
      for (const one of part) await look(one);
    }
  }
  for (const entry of entries) await look(entry);
  return found;
}

class Sending {
  constructor(box) {
    this.box = box;
    this.part = (name) => box.querySelector(`[data-${name}]`);
    this.key = `fabriek.upload.${box.dataset.dataset}`;
    this.files = new Map(); // path → what is known of it
    this.paused = false;
    this.finishing = false;
    this.samples = [];
    this.kept = JSON.parse(localStorage.getItem(this.key) || "null");
  }

  keep() {
    localStorage.setItem(this.key, JSON.stringify(this.kept));
  }

  forget() {
    localStorage.removeItem(this.key);
    this.kept = null;
  }

  say(text, bad = false) {
    this.part("status").textContent = text;
    this.part("status").classList.toggle("bad-text", bad);
  }

  async begin() {
    this.part("shown").hidden = false;
    const choose = (input) => {
      const chosen = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
      input.value = "";
      this.add(chosen);
    };
    this.part("files").addEventListener("change", (event) => choose(event.target));
    this.part("folder").addEventListener("change", (event) => choose(event.target));
    const drop = this.part("drop");
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", name === "dragover");
        if (name === "drop") dropped(event.dataTransfer).then((found) => this.add(found), (error) => this.say(String(error), true));
      });
    }
    this.part("pause").addEventListener("click", () => (this.paused ? this.goOn() : this.pause()));
    this.part("stop").addEventListener("click", () => this.giveUp());
    this.part("make").addEventListener("click", () => this.finish());
    this.part("give-up").addEventListener("click", () => this.giveUp());
    setInterval(() => this.draw(), 500);
    if (this.kept) await this.lookBack();
  }

  // What an earlier page began: told, and gone on with once its files are chosen again.
  async lookBack() {
    try {
      const told = await ask("GET", `/api/v1/uploads/${this.kept.upload}/files`);
      if (told.version || Date.parse(told.expires_at) < Date.now()) return this.forget();
      if (!told.files.length) return this.forget();
      const missing = told.files.filter((one) => one.arrived_bytes !== one.size_bytes).map((one) => one.path);
      this.part("interrupted-text").textContent = missing.length
        ? `An upload was interrupted: ${told.files.length - missing.length} of ${told.files.length} files are here whole. ` +
          `Choose again what is not, and it goes on: ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", …" : ""}`
        : "An upload was interrupted when all of it was here.";
      this.part("make").hidden = missing.length > 0;
      this.part("interrupted").hidden = false;
    } catch (error) {
      if (error.cause === 404) return this.forget();
      this.say(error.message, true);
    }
  }

  async add(chosen) {
    try {
      await this.open();
      for (const one of chosen) await this.addOne(one);
      this.part("interrupted").hidden = true;
      this.part("sending").hidden = false;
      this.say("");
      this.next();
    } catch (error) {
      this.say(error.message, true);
    }
  }

  // The upload that gathers the files; opened with the first of them.
  async open() {
    if (!this.kept) {
      const { project, dataset } = this.box.dataset;
      const opened = await ask("POST", `/api/v1/projects/${project}/datasets/${dataset}/file-uploads`);
      this.kept = { upload: opened.upload, files: {} };
      this.keep();
    }
    const told = await ask("GET", `/api/v1/uploads/${this.kept.upload}/files`);
    this.announced = new Map(told.files.map((one) => [one.path, one]));
  }

  async addOne({ file, path }) {
    const known = this.files.get(path);
    if (known && known.state !== "failed") return;
    const mark = JSON.stringify([path, file.size, file.lastModified]);
    const there = this.announced.get(path);
    let address = this.kept.files[mark];
    if (there && (!address || !address.endsWith(there.arrival))) {
      await fetch(`/api/v1/arrivals/${there.arrival}`, { method: "DELETE", credentials: "same-origin", headers: { "Tus-Resumable": "1.0.0" } });
      address = undefined;
    }
    const row = known ? known.row : document.createElement("li");
    row.replaceChildren(document.createElement("span"), document.createElement("progress"), document.createElement("span"));
    row.firstChild.textContent = path;
    row.children[1].setAttribute("aria-label", path);
    if (!known) this.part("list").append(row);
    const one = { path, row, size: file.size, sent: 0, state: "waiting", why: "" };
    one.upload = new tus.Upload(file, {
      endpoint: `/api/v1/uploads/${this.kept.upload}/files`,
      uploadUrl: there ? address : null,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MILLISECONDS,
      storeFingerprintForResuming: false,
      metadata: { path, filename: file.name },
      onUploadUrlAvailable: () => {
        if (!this.kept) return;
        this.kept.files[mark] = one.upload.url;
        this.keep();
      },
      onProgress: (sent) => {
        one.sent = sent;
      },
      onSuccess: () => {
        one.sent = one.size;
        one.state = "whole";
        this.next();
      },
      onError: (error) => {
        const answer = error.originalResponse;
        one.state = "failed";
        one.why = answer ? words(answer.getBody(), answer.getStatus()) : "the server could not be reached; choose it again to go on";
        this.next();
      },
    });
    this.files.set(path, one);
  }

  // Starts what may start now; when nothing is left, makes the version.
  next() {
    this.draw();
    if (this.paused) return;
    const all = [...this.files.values()];
    let busy = all.filter((one) => one.state === "going").length;
    for (const one of all) {
      if (busy >= AT_ONCE) return;
      if (one.state === "waiting") {
        one.state = "going";
        busy += 1;
        one.upload.start();
      }
    }
    if (all.length && all.every((one) => one.state === "whole")) this.finish();
    else if (!busy) this.say("Some files did not arrive. Choose them again to go on, or give up.", true);
  }

  async finish() {
    if (this.finishing) return;
    this.finishing = true;
    this.say("All is here. The version is being made.");
    try {
      const told = await ask("GET", `/api/v1/uploads/${this.kept.upload}/files`);
      const missing = told.files.filter((one) => one.arrived_bytes !== one.size_bytes);
      if (missing.length) {
        const some = missing.map((one) => one.path).slice(0, 5).join(", ");
        this.say(`${missing.length} of an earlier choice are not here whole: ${some}. Choose them too, or give up.`, true);
        return;
      }
      const made = await ask("POST", `/api/v1/uploads/${this.kept.upload}/finish`);
      this.forget();
      this.files.clear();
      this.part("list").replaceChildren();
      this.part("sending").hidden = true;
      this.part("interrupted").hidden = true;
      const link = document.createElement("a");
      link.href = location.pathname;
      link.textContent = `${made.name}@${made.number}`;
      this.part("status").replaceChildren(link, ` is made: ${made.files} files, ${shown(made.size_bytes)}.`);
    } catch (error) {
      this.say(error.message, true);
    } finally {
      this.finishing = false;
    }
  }

  async pause() {
    this.paused = true;
    this.part("pause").textContent = "Go on";
    for (const one of this.files.values()) {
      if (one.state !== "going") continue;
      one.state = "waiting";
      await one.upload.abort();
    }
    this.say("Paused. What has arrived stays for seven days.");
  }

  goOn() {
    this.paused = false;
    this.part("pause").textContent = "Pause";
    this.say("");
    this.next();
  }

  async giveUp() {
    try {
      for (const one of this.files.values()) if (one.state === "going") await one.upload.abort();
      if (this.kept) await ask("DELETE", `/api/v1/uploads/${this.kept.upload}/files`);
      this.forget();
      this.files.clear();
      this.part("list").replaceChildren();
      this.part("sending").hidden = true;
      this.part("interrupted").hidden = true;
      this.paused = false;
      this.part("pause").textContent = "Pause";
      this.say("Given up: nothing of it is kept.");
    } catch (error) {
      this.say(error.message, true);
    }
  }

  draw() {
    const all = [...this.files.values()];
    if (!all.length) return;
    const size = all.reduce((sum, one) => sum + one.size, 0);
    const sent = all.reduce((sum, one) => sum + one.sent, 0);
    this.part("all").value = size ? sent / size : 1;
    const now = performance.now();
    this.samples = [...this.samples.filter(([at]) => now - at < 10000), [now, sent]];
    const [since, before] = this.samples[0];
    const rate = now > since ? ((sent - before) * 1000) / (now - since) : 0;
    const left = rate > 0 && sent < size ? `, ${duration((size - sent) / rate)} left` : "";
    this.part("rate").textContent = `${shown(sent)} of ${shown(size)}${rate > 0 && !this.paused ? `, ${shown(Math.round(rate))}/s${left}` : ""}`;
    const says = { waiting: this.paused ? "paused" : "waits", going: "", whole: "here", failed: "" };
    for (const one of all) {
      one.row.children[1].value = one.size ? one.sent / one.size : Number(one.state === "whole");
      one.row.lastChild.textContent = one.why && one.state === "failed" ? one.why : says[one.state] || `${shown(one.sent)} of ${shown(one.size)}`;
    }
  }
}

document.querySelectorAll("[data-upload]").forEach((box) => new Sending(box).begin());
