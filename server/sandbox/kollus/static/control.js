// The page for people: shows the log, edits the settings, sends held reports.

const REFRESH_MS = 2000;
const CHOICES = {
  lms: ["now", "hold"],
  device_policy: ["off", "one_at_a_time", "registered", "registered_one_at_a_time"],
};
const UNUSED = ["drm_callback_url", "platform_callback_url"]; // may be set, no call goes there

const part = (name) => document.querySelector(`[data-${name}]`);
const status = (text) => {
  part("status").textContent = text;
};

async function call(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`/_sandbox/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

function field(name, value) {
  const label = document.createElement("label");
  label.append(`${name} `, input(name, value));
  label.classList.toggle("wide", name.endsWith("_url"));
  return label;
}

function input(name, value) {
  const element = document.createElement(CHOICES[name] ? "select" : "input");
  for (const choice of CHOICES[name] ?? []) element.add(new Option(choice, choice));
  if (typeof value === "boolean") {
    element.type = "checkbox";
    element.checked = value;
  } else {
    element.value = Array.isArray(value) ? value.join(", ") : value;
  }
  element.addEventListener("change", () => change(name, read(element, value)));
  return element;
}

function read(element, before) {
  if (typeof before === "boolean") return element.checked;
  if (typeof before === "number") return Number(element.value);
  if (Array.isArray(before)) return element.value.split(",").map((item) => item.trim()).filter(Boolean);
  return element.value;
}

async function change(name, value) {
  try {
    await call("settings", { [name]: value });
    status(`${name} saved`);
  } catch (error) {
    status(error.message);
    await showSettings();
  }
}

async function showSettings() {
  const settings = await call("settings");
  const used = Object.entries(settings).filter(([name]) => !UNUSED.includes(name));
  part("settings").replaceChildren(...used.map(([name, value]) => field(name, value)));
}

function summary({ kind, request, response }) {
  if (kind === "open") return response.error ?? response.title;
  if (kind === "play") return `kind ${request.form.kind}: ${response.error ?? JSON.stringify(response.data)}`;
  return response.error ?? response.sent_by ?? `status ${response.status}`;
}

function row(entry) {
  const line = document.createElement("tr");
  const details = document.createElement("details");
  const title = document.createElement("summary");
  const content = document.createElement("pre");
  title.textContent = summary(entry);
  content.textContent = JSON.stringify({ request: entry.request, response: entry.response }, null, 2);
  details.append(title, content);
  for (const text of [new Date(entry.at).toLocaleTimeString(), entry.kind, entry.code ?? ""]) {
    line.insertCell().textContent = text;
  }
  line.cells[2].className = "failed";
  line.insertCell().append(details);
  return line;
}

let shown = 0;
let newest = "";

async function showLog() {
  const entries = await call("log");
  part("empty").hidden = entries.length > 0;
  if (entries.length === shown && entries.at(-1)?.at === newest) return; // what is unfolded stays unfolded
  shown = entries.length;
  newest = entries.at(-1)?.at ?? "";
  part("log").replaceChildren(...entries.reverse().map(row));
}

part("flush").addEventListener("click", async () => {
  const { delivered, waiting } = await call("lms/flush", {});
  status(`${delivered} sent, ${waiting} waiting`);
});
part("rotate").addEventListener("click", async () => {
  const { custom_key: key } = await call("custom_keys/rotate", {});
  status(`The old keys stay valid, the new one is ${key}`);
});
part("reset").addEventListener("click", async () => {
  await call("reset", {});
  await showSettings();
  status("Started afresh");
});

await showSettings();
await showLog();
setInterval(() => showLog().catch((error) => status(error.message)), REFRESH_MS);
