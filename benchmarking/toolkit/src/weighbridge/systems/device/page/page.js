// Measures the model in this browser and reports raw samples; all statistics are computed by the program that serves it.

const BREATHE_MS = 250;
// Addresses that no other device can open.
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
const METRICS = {
  latency_p50_ms: "median query",
  latency_p95_ms: "95 of 100 within",
  latency_p99_ms: "99 of 100 within",
  load_time_ms: "model load",
  first_inference_ms: "first query",
};
const VIEWS = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array,
  uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
  bool: Uint8Array, float16: typeof Float16Array === "undefined" ? Uint16Array : Float16Array,
};
// A model that answers its input: starting the runtime with it keeps that time out of the time of the model.
const IDENTITY =
  "CAgSADo3ChAKAXgSAXkiCElkZW50aXR5EgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEQ==";

const part = (id) => document.getElementById(id);
const say = (text) => { part("status").textContent = text; };
const breathe = () => new Promise((resolve) => { setTimeout(resolve); });

/** Call the program that serves this page; its refusals become errors. */
async function call(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: body === undefined ? "GET" : "POST", body });
  } catch {
    throw new Error("The program that serves this page does not answer. It may have ended, or the network changed.");
  }
  if (!answer.ok) {
    const refused = await answer.json().catch(() => ({}));
    throw new Error(refused.reason ?? `The program that serves this page answered ${answer.status}.`);
  }
  return answer;
}

const bytesOf = async (path) => new Uint8Array(await (await call(path)).arrayBuffer());

// --- conditions of the device --------------------------------------------------------------------------------------

/** Only what the manifest needs, and only coarse versions. */
async function describe(backend) {
  const plain = (text) => text.replace(/[^\w .,:;()+/'-]/g, " ").slice(0, 80);
  const info = backend === "webgpu" ? (await navigator.gpu.requestAdapter())?.info : undefined;
  return {
    browser: plain(browserOf()),
    platform: plain(platformOf()),
    is_mobile: navigator.userAgentData?.mobile ?? /Mobi|Android/.test(navigator.userAgent),
    processors: navigator.hardwareConcurrency ?? 1,
    memory_gb: navigator.deviceMemory ?? null,
    adapter: info ? plain(`${info.vendor} ${info.architecture}`.trim()) : null,
    is_isolated: globalThis.crossOriginIsolated === true,
  };
}

function browserOf() {
  const brands = (navigator.userAgentData?.brands ?? []).filter(({ brand }) => !/not.?a.?brand/i.test(brand));
  const brand = brands.find((each) => each.brand !== "Chromium") ?? brands[0];
  if (brand) return `${brand.brand} ${brand.version}`;
  const found = /(Firefox|Edg|OPR|Chrome|Version)\/(\d+)/.exec(navigator.userAgent);
  return found ? `${found[1] === "Version" ? "Safari" : found[1]} ${found[2]}` : "unknown browser";
}

function platformOf() {
  if (navigator.userAgentData?.platform) return navigator.userAgentData.platform;
  const names = { Android: /Android/, iOS: /iPhone|iPad/, Windows: /Windows/, macOS: /Mac OS/, Linux: /Linux/ };
  return Object.keys(names).find((name) => names[name].test(navigator.userAgent)) ?? "unknown platform";
}

/** Watches what would spoil a run: a hidden page, pressure on the processors, the battery. */
async function watch() {
  const states = ["nominal", "fair", "serious", "critical"];
  const battery = await navigator.getBattery?.().catch(() => undefined);
  const first = battery?.level;
  let isHidden = document.hidden, isCharging = battery?.charging ?? false, pressure = null, observer = null;
  const hide = () => { isHidden ||= document.hidden; };
  const charge = () => { isCharging &&= battery.charging; };
  document.addEventListener("visibilitychange", hide);
  battery?.addEventListener("chargingchange", charge);
  if ("PressureObserver" in globalThis) {
    observer = new PressureObserver((records) => {
      for (const { state } of records) if (states.indexOf(state) > states.indexOf(pressure)) pressure = state;
    });
    await observer.observe("cpu", { sampleInterval: 1000 }).catch(() => undefined);
  }
  const lock = await navigator.wakeLock?.request("screen").catch(() => undefined);
  return {
    check() {
      if (isHidden) throw new Error("The page was hidden during the run, so the run does not count. Measure again.");
    },
    seen: () => ({ pressure, battery: battery ? { first, last: battery.level, is_charging: isCharging } : null }),
    end() {
      document.removeEventListener("visibilitychange", hide);
      battery?.removeEventListener("chargingchange", charge);
      observer?.disconnect();
      lock?.release();
    },
  };
}

/** The step of the clock in milliseconds: the median of its changes. */
function resolutionOf() {
  const steps = [], until = performance.now() + 1000;
  for (let last = performance.now(); steps.length < 51 && last < until;) {
    const now = performance.now();
    if (now > last) { steps.push(now - last); last = now; }
  }
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? 1000;
}

// --- the model -------------------------------------------------------------------------------------------------------

function tensorsOf(ort, query, values) {
  const tensors = {};
  for (const [name, { type, dims, at, values: count, texts }] of Object.entries(query)) {
    tensors[name] = new ort.Tensor(type, texts ?? new VIEWS[type](values, at, count), dims);
  }
  return tensors;
}

/** A function that runs query `index`, with the states of the call before. */
function runnerOf(session, job, queries, first) {
  let state = first;
  return async (index) => {
    const outputs = await session.run({ ...queries[index % queries.length], ...state });
    state = Object.fromEntries(Object.entries(job.state_outputs).map(([input, output]) => [input, outputs[output]]));
    return outputs;
  };
}

function base64Of(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

function answerOf(outputs, most) {
  return Object.fromEntries(Object.entries(outputs).map(([name, { type, dims, data }]) => {
    const kept = data.slice(0, most);
    const content = type === "string" ? { texts: kept.map((text) => text.slice(0, 1000)) }
      : { data: base64Of(new Uint8Array(kept.buffer, kept.byteOffset, kept.byteLength)) };
    return [name, { type, dims: [...dims], ...content }];
  }));
}

async function warmUp(run, job, resolution, guard) {
  const { values, value_ms: piece, min_s: least, max_s: most } = job.warm_up;
  const times = [], begun = performance.now(), atLeast = Math.max(piece, job.steps_per_block * resolution);
  let inferences = 0, now = begun;
  while ((times.length < values || now - begun < least * 1e3) && now - begun < most * 1e3) {
    const start = performance.now();
    let count = 0;
    do { await run(inferences++); count++; now = performance.now(); } while (now - start < atLeast);
    times.push((now - start) / count);
    await breathe();
    guard.check();
  }
  return { inferences, duration_ms: now - begun, values_ms: times.slice(-values) };
}

async function timed(run, job, resolution, mean, guard) {
  const block = Math.min(1_000_000, mean > 0 ? Math.max(1, Math.ceil(job.steps_per_block * resolution / mean)) : 1);
  const times = [], begun = performance.now();
  let asked = 0, now = begun, tick = begun + BREATHE_MS;
  const isDone = () => times.length >= job.samples_max || now - begun > job.duration_max_s * 1e3
    || (times.length >= job.samples && now - begun >= job.duration_s * 1e3);
  while (!isDone()) {
    const start = performance.now();
    for (let left = block; left > 0; left--) await run(asked++);
    now = performance.now();
    times.push(Math.max(now - start, resolution));
    if (now > tick) {
      part("progress").value = Math.min(times.length / job.samples, (now - begun) / (job.duration_s * 1e3 || 1), 1);
      await breathe();
      guard.check();
      tick = performance.now() + BREATHE_MS;
    }
  }
  return { block, duration_ms: now - begun, latencies: base64Of(new Uint8Array(Float64Array.from(times).buffer)) };
}

async function digestOf(bytes, stated) {
  if (!globalThis.crypto?.subtle) return stated; // only in a secure context
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha256:${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

// Level 3: errors; warnings would fill the console of the browser.
const options = (backend) => ({ executionProviders: [backend], logSeverityLevel: 3 });

/** Start the runtime by answering a tiny model; return its library, and the time that took. */
async function start(backend, job) {
  if (job.threads > 1 && backend === "wasm" && globalThis.crossOriginIsolated !== true) {
    throw new Error(`${job.threads} threads need a page served by https or by this machine itself. Ask for one thread.`);
  }
  const begun = performance.now();
  const ort = await import(`./runtime/ort.${backend}.min.mjs`);
  ort.env.wasm.wasmPaths = new URL("runtime/", location.href).href;
  ort.env.wasm.numThreads = backend === "wasm" ? job.threads : 1;
  ort.env.logLevel = "error";
  const tiny = Uint8Array.from(atob(IDENTITY), (letter) => letter.charCodeAt(0));
  const session = await ort.InferenceSession.create(tiny, options(backend));
  await session.run({ x: new ort.Tensor("float32", new Float32Array(1), [1]) });
  await session.release();
  return { ort, runtime_ms: performance.now() - begun };
}

async function measure(backend, job, guard) {
  say("Loading the model and its inputs…");
  const asked = performance.now();
  const model = await bytesOf("model"), externalData = [];
  for (const [place, path] of job.weights.entries()) externalData.push({ path, data: await bytesOf(`weights/${place}`) });
  const values = await (await call("queries")).arrayBuffer();
  const download_ms = performance.now() - asked;
  const digest = await digestOf(model, job.digest), weights = {};
  for (const { path, data } of externalData) weights[path] = await digestOf(data, job.weight_digests[path]);
  guard.check();

  say("Starting ONNX Runtime…");
  const { ort, runtime_ms } = await start(backend, job);
  const resolution = resolutionOf();
  const begun = performance.now();
  const session = await ort.InferenceSession.create(model, { ...options(backend), externalData });
  const load_ms = performance.now() - begun;

  say("Running the first queries…");
  const queries = job.queries.map((query) => tensorsOf(ort, query, values));
  const states = tensorsOf(ort, job.states, values);
  const run = runnerOf(session, job, queries, states);
  const before = performance.now();
  const answers = [await run(0)];
  const first_ms = performance.now() - before;
  while (answers.length < job.answers) answers.push(await run(answers.length));
  guard.check();

  say("Warming up…");
  await breathe();
  const timedRun = runnerOf(session, job, queries, states);
  const warm_up = await warmUp(timedRun, job, resolution, guard);
  say("Measuring…");
  await breathe();
  const late = warm_up.values_ms.slice(-10);
  const mean = late.reduce((sum, value) => sum + value, 0) / late.length;
  const timing = await timed(timedRun, job, resolution, mean, guard);
  guard.check();
  await session.release();
  return {
    run: job.run, digest, weights, backend, device: await describe(backend), ...guard.seen(), resolution_ms: resolution,
    download_ms, runtime_ms, load_ms, first_ms, warm_up, ...timing,
    answers: answers.map((outputs) => answerOf(outputs, job.answer_values)),
  };
}

// --- the page --------------------------------------------------------------------------------------------------------

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

const number = (value) => (value === undefined || value === null ? "" : Number(value.toPrecision(4)).toString());

function show({ verdict, metrics, here, agreement, notes, missing }) {
  const isBeside = Object.keys(here).length > 0;
  part("verdict").textContent = `The measurement is ${verdict.status}.`;
  part("reasons").replaceChildren(...verdict.reasons.map(({ message }) => element("li", message)));
  const headings = ["time", "device", "99% interval", ...(isBeside ? ["server"] : [])];
  part("headings").replaceChildren(...headings.map((text) => {
    const cell = element("th", text);
    cell.scope = "col";
    return cell;
  }));
  part("times").replaceChildren(...Object.keys(METRICS).filter((name) => metrics[name]).map((name) => {
    const { value, lower, upper } = metrics[name];
    const row = document.createElement("tr"), head = element("th", METRICS[name]);
    head.scope = "row";
    const bounds = lower === null ? "" : `${number(lower)} to ${number(upper)}`;
    row.append(head, ...[number(value), bounds, ...(isBeside ? [number(here[name]?.value)] : [])]
      .map((text) => element("td", text)));
    return row;
  }));
  part("agreement").textContent = agreement.is_within
    ? `The answers agree with those of the serving machine (largest difference ${number(agreement.max_absolute_difference)}).`
    : `${agreement.disagreeing} of ${agreement.values} values of the answers differ from those of the serving machine.`;
  part("notes").replaceChildren(...[...notes, ...missing.filter(({ metric }) => metric in METRICS)].map(({ message }) => element("li", message)));
  part("result").hidden = false;
  part("result-title").focus();
}

async function go(event) {
  event.preventDefault();
  const backend = new FormData(part("choice")).get("backend");
  part("start").disabled = true;
  part("error").textContent = "";
  part("result").hidden = true;
  part("running").hidden = false;
  part("progress").value = 0;
  let run, guard;
  try {
    guard = await watch();
    const job = await (await call("runs", "")).json();
    run = job.run;
    const report = await measure(backend, job, guard);
    say("Sending the result…");
    run = undefined;
    show(await (await call("results", JSON.stringify(report))).json());
    say("Done. The result is on the machine that serves this page.");
  } catch (error) {
    const reason = String(error?.message ?? error).slice(0, 500);
    part("error").textContent = reason;
    say("");
    if (run) await call("refusals", JSON.stringify({ run, reason })).catch(() => undefined);
  } finally {
    guard?.end();
    part("running").hidden = true;
    part("start").disabled = false;
    part("start").textContent = "Measure again";
  }
}

function checkWebGpu() {
  if (navigator.gpu) return;
  part("webgpu").disabled = true;
  part("webgpu-hint").hidden = false;
  part("webgpu-hint").textContent = globalThis.isSecureContext
    ? "This browser has no WebGPU." : "WebGPU needs a page served by https or by this device itself.";
}

async function open() {
  checkWebGpu();
  const link = location.href.replace(location.hash, "");
  part("link").href = link;
  part("link").textContent = link;
  const isLoopback = LOOPBACK.includes(location.hostname);
  part("reachable").hidden = isLoopback;
  part("unreachable").hidden = !isLoopback;
  part("choice").addEventListener("submit", go);
  try {
    const about = await (await call("about")).json();
    part("about").textContent = `The model ${about.name} (${number(about.bytes / 1e6)} MB) is loaded into this browser and `
      + `answers at least ${about.samples.toLocaleString("en-US")} queries for at least ${about.duration_s} s. It uses the `
      + "processor fully and takes some battery.";
    part("start").disabled = false;
    if (about.has_code) part("code").src = "qr.svg";
    part("code").hidden = !about.has_code;
    // A link that ends in #start measures at once: for browsers that nobody sits at.
    if (location.hash === "#start") part("choice").requestSubmit();
  } catch (error) {
    part("error").textContent = error.message;
    part("about").textContent = "";
  }
}

open();
