// Inside the walls: answers in OpenAI's words with a GGUF model. Runs as `node chat_inside.mjs FILE PORT`, with the package node-llama-cpp,
// which is looked for where NODE_PATH says, below the job's mounts and where npm installs for all. Nothing of a request is written anywhere.
import {createServer} from "node:http";
import {existsSync, readdirSync} from "node:fs";
import {join} from "node:path";
import {pathToFileURL} from "node:url";
import {randomUUID} from "node:crypto";

const [file, port] = process.argv.slice(2);
const BODY_BYTES_MAX = 8 * 2 ** 20;
const TOKENS_MAX = 512;

function folders() {
    const said = (process.env.NODE_PATH ?? "").split(":").filter(Boolean);
    const data = existsSync("/data") ? readdirSync("/data").map((name) => join("/data", name, "node_modules")) : [];
    return [...said, join(process.cwd(), "node_modules"), "/data/node_modules", ...data, "/usr/local/lib/node_modules", "/usr/lib/node_modules"];
}

const home = folders().map((one) => join(one, "node-llama-cpp", "dist", "index.js")).find(existsSync);
if (!home) {
    console.error("node-llama-cpp is not here: mount it at /data, or have it installed on the machine (npm install -g node-llama-cpp)");
    process.exit(1);
}
const {getLlama, LlamaChatSession, LlamaCompletion} = await import(pathToFileURL(home).href);
// As many threads as the job has processors: with more, each waits for the others by turning in circles, and a token takes a hundred times as long.
const threads = Math.max(1, Number(process.env.OMP_NUM_THREADS) || 1);
const gpu = process.env.CUDA_VISIBLE_DEVICES ? "auto" : false;
const llama = await getLlama({build: "never", gpu, maxThreads: threads, progressLogs: false});
const model = await llama.loadModel({modelPath: file});
const SEQUENCES = 2;
const context = await model.createContext({contextSize: Math.min(model.trainContextSize ?? 2048, 2048), sequences: SEQUENCES, threads});

// A context has so many lines; who comes later waits for one.
let busy = 0;
const waiting = [];
async function line() {
    if (busy >= SEQUENCES) await new Promise((go) => waiting.push(go));
    busy += 1;
    return context.getSequence();
}
function release(sequence) {
    sequence.dispose();
    busy -= 1;
    waiting.shift()?.();
}

function textOf(content) {
    if (typeof content === "string") return content;
    if (Array.isArray(content)) return content.map((part) => (part?.type === "text" ? String(part.text) : "")).join("");
    throw new Refused(400, "the content of a message must be text");
}

class Refused extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

function options(asked, abort, onTextChunk) {
    const most = asked.max_completion_tokens ?? asked.max_tokens ?? TOKENS_MAX;
    const stop = asked.stop == null ? undefined : [asked.stop].flat().map(String);
    return {
        maxTokens: Math.max(1, Math.min(Number(most) || TOKENS_MAX, 2048)), temperature: Number(asked.temperature ?? 0.8),
        topP: Number(asked.top_p ?? 0.95), seed: asked.seed ?? undefined, customStopTriggers: stop, signal: abort.signal,
        stopOnAbortSignal: true, onTextChunk,
    };
}

async function chat(sequence, asked, abort, heard) {
    if (!Array.isArray(asked.messages) || asked.messages.length === 0) throw new Refused(400, "messages must be a list with one message at least");
    const turns = asked.messages.map((one) => ({role: String(one?.role), text: textOf(one?.content ?? "")}));
    const last = turns.pop();
    if (last.role !== "user") throw new Refused(400, "the last message must be the user's");
    const kinds = {system: "system", developer: "system", user: "user", assistant: "model"};
    const history = turns.map(({role, text}) => {
        if (!(role in kinds)) throw new Refused(400, "the role of a message must be system, developer, user or assistant");
        return role === "assistant" ? {type: "model", response: [text]} : {type: kinds[role], text};
    });
    const session = new LlamaChatSession({contextSequence: sequence, autoDisposeSequence: false});
    session.setChatHistory(history); // also an empty one: the package would begin with instructions of its own, which nobody asked for
    const said = await session.promptWithMeta(last.text, options(asked, abort, heard));
    return {text: said.responseText, reason: said.stopReason === "maxTokens" ? "length" : "stop"};
}

async function complete(sequence, asked, abort, heard) {
    const prompt = Array.isArray(asked.prompt) ? asked.prompt[0] : asked.prompt;
    if (typeof prompt !== "string") throw new Refused(400, "prompt must be text");
    const completion = new LlamaCompletion({contextSequence: sequence, autoDisposeSequence: false});
    const said = await completion.generateCompletionWithMeta(prompt, options(asked, abort, heard));
    return {text: said.response, reason: said.metadata.stopReason === "maxTokens" ? "length" : "stop"};
}

const WAYS = {
    "/v1/chat/completions": {
        run: chat, object: "chat.completion", id: "chatcmpl",
        whole: (text, reason) => ({index: 0, message: {role: "assistant", content: text}, finish_reason: reason}),
        part: (text, reason) => ({index: 0, delta: reason ? {} : {role: "assistant", content: text}, finish_reason: reason}),
    },
    "/v1/completions": {
        run: complete, object: "text_completion", id: "cmpl",
        whole: (text, reason) => ({index: 0, text, finish_reason: reason, logprobs: null}),
        part: (text, reason) => ({index: 0, text, finish_reason: reason, logprobs: null}),
    },
};

async function answer(way, asked, response) {
    const sequence = await line();
    const abort = new AbortController();
    response.on("close", () => abort.abort());
    const before = sequence.tokenMeter.getState();
    const usage = () => {
        const used = sequence.tokenMeter.diff(before);
        const [prompt, made] = [used.usedInputTokens, used.usedOutputTokens];
        return {prompt_tokens: prompt, completion_tokens: made, total_tokens: prompt + made};
    };
    const base = {id: `${way.id}-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: String(asked.model ?? "model")};
    try {
        if (!asked.stream) {
            const {text, reason} = await way.run(sequence, asked, abort, undefined);
            say(response, 200, {...base, object: way.object, choices: [way.whole(text, reason)], usage: usage()});
            return;
        }
        const object = way.object === "chat.completion" ? "chat.completion.chunk" : way.object;
        const send = (choices, more = {}) => response.write(`data: ${JSON.stringify({...base, object, choices, ...more})}\n\n`);
        const begin = () => response.headersSent || response.writeHead(200, {"Content-Type": "text/event-stream"});
        const {reason} = await way.run(sequence, asked, abort, (text) => { begin(); send([way.part(text, null)]); });
        begin();
        send([way.part("", reason)]);
        if (asked.stream_options?.include_usage) send([], {usage: usage()});
        response.end("data: [DONE]\n\n");
    } finally {
        release(sequence);
    }
}

async function embed(asked, response) {
    const texts = [asked.input].flat();
    if (!texts.length || texts.some((one) => typeof one !== "string")) throw new Refused(400, "input must be text, or a list of texts");
    const made = await model.createEmbeddingContext();
    try {
        const data = [];
        for (const [index, text] of texts.entries())
            data.push({object: "embedding", index, embedding: [...(await made.getEmbeddingFor(text)).vector]});
        const tokens = texts.reduce((sum, text) => sum + model.tokenize(text).length, 0);
        say(response, 200, {object: "list", data, model: String(asked.model ?? "model"), usage: {prompt_tokens: tokens, total_tokens: tokens}});
    } finally {
        await made.dispose();
    }
}

function say(response, status, body) {
    const text = JSON.stringify(body);
    response.writeHead(status, {"Content-Type": "application/json", "Content-Length": Buffer.byteLength(text)});
    response.end(text);
}

async function read(request) {
    const pieces = [];
    let count = 0;
    for await (const piece of request) {
        count += piece.length;
        if (count > BODY_BYTES_MAX) throw new Refused(413, "the body is too large");
        pieces.push(piece);
    }
    try {
        const asked = JSON.parse(Buffer.concat(pieces).toString("utf-8"));
        if (asked && typeof asked === "object" && !Array.isArray(asked)) return asked;
    } catch {
        // said below, without a word of what was sent
    }
    throw new Refused(400, "the body is no JSON object");
}

createServer(async (request, response) => {
    try {
        if (request.method === "GET" && request.url === "/v1/models") return say(response, 200, {object: "list", data: [{id: "model", object: "model"}]});
        if (request.method !== "POST") throw new Refused(404, "there is no such call");
        if (request.url === "/v1/embeddings") return await embed(await read(request), response);
        if (!(request.url in WAYS)) throw new Refused(404, "there is no such call");
        await answer(WAYS[request.url], await read(request), response);
    } catch (error) {
        // Of an error that is not ours only its kind is told: its words may hold what was asked.
        const [status, message] = error instanceof Refused ? [error.status, error.message] : [500, `the model could not answer (${error?.name ?? "error"})`];
        if (response.headersSent) response.destroy();
        else say(response, status, {error: {message, type: status < 500 ? "invalid_request_error" : "server_error", param: null, code: null}});
    }
}).listen(Number(port), "127.0.0.1");
