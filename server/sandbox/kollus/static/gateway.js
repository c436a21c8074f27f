// The player's side of the controller protocol: JSON strings {event_name, uid, data} by postMessage,
// "c_..." from the embedding page, "e_..." to it. Every message bears the uid of the controller that said hello.

const PLAYER_TYPE = "html5";

export class Gateway {
  // commands: name (without "c_") -> function(data); a returned value is sent back as e_fetch_<name>
  constructor(commands) {
    this.commands = commands;
    this.uid = null;
    this.origin = null;
    this.reached = []; // states that a controller made late has to hear of as well
    if (window.parent !== window) window.addEventListener("message", (event) => this.#receive(event));
  }

  emit(name, data = null) {
    if (this.uid === null) return;
    const message = JSON.stringify({ event_name: `e_${name}`, uid: this.uid, data });
    window.parent.postMessage(message, this.origin);
  }

  // loaded, ready, error: told now, and again to whoever connects later
  reach(name, data = null) {
    this.reached.push([name, data]);
    this.emit(name, data);
  }

  #receive(event) {
    if (event.source !== window.parent || typeof event.data !== "string") return;
    const message = parsed(event.data);
    if (!message || typeof message.event_name !== "string" || !message.event_name.startsWith("c_")) return;
    const name = message.event_name.slice(2);
    if (name === "initialize") this.#connect(message.uid, event.origin);
    else if (message.uid !== this.uid) return;
    else if (name === "is_connected") this.emit("connected");
    else this.#obey(name, message.data);
  }

  #connect(uid, origin) {
    this.uid = uid;
    // a sandboxed or local page has the opaque origin "null", which cannot be addressed
    this.origin = origin === "null" ? "*" : origin;
    this.emit("initialized", PLAYER_TYPE);
    this.emit("connected");
    for (const [name, data] of this.reached) this.emit(name, data);
  }

  #obey(name, data) {
    const command = Object.hasOwn(this.commands, name) ? this.commands[name] : null;
    if (!command) return;
    const answer = command(data);
    if (name.startsWith("get_")) this.emit(`fetch_${name}`, answer);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // other scripts talk to frames too
  }
}
