// The page of the chat example. It talks to the server with the official
// Socket.IO client; what goes over the wire is in the section "Wire".
const { io } = window; // from socket.io.min.js

const $ = (id) => document.getElementById(id);
const ACK_TIMEOUT = 10_000; // milliseconds until an unanswered call counts as failed
const TYPING_PAUSE = 2_000; // a typing notice is repeated after this long
const TYPING_LIFE = 4_000; // and believed for this long: notices are volatile, the "off" may be lost
const PICTURE_SIDE = 1280; // pixels
const PICTURE_BYTES = 700_000; // polling sends base64, a third more; the server takes 1,000,000

const query = new URLSearchParams(location.search);
const socket = io({
  autoConnect: false,
  closeOnBeforeunload: true, // the others see at once who closes the page
  transports: query.get("transports")?.split(",") ?? ["polling", "websocket"],
});

const state = {
  name: "",
  room: "",
  joined: false,
  rooms: {}, // name → people in it, each {id, name, room}
  people: null, // of this room, as last shown; null when just entered
  mine: new Set(JSON.parse(sessionStorage.getItem("mine") ?? "[]")), // ids this tab has had: one a connection
  messages: new Map(), // message id → {message, node, state, receivers}
  typing: new Map(), // person id → timer
  draft: null, // picture to send: {name, type, width, height, data, url}
  unread: 0,
  attempts: 0,
  following: true, // the end of the conversation is in view
};

// ---- Wire ------------------------------------------------------------------
// Calls, which the server acknowledges: join {name, room} → {id, name, room},
//   post {id, text, picture?} → time.
// Both ways: typing (volatile), delivered {id, author, by}.
// Received: message {id, author, text, picture?, at}, rooms {room: [person]}.

async function call(event, payload) {
  const start = performance.now();
  const reply = await socket.timeout(ACK_TIMEOUT).emitWithAck(event, payload);
  if (reply?.error) throw new Error(reply.error.message);
  showTransport(performance.now() - start);
  return reply;
}

async function join(room) {
  if (room !== state.room) clearLog();
  state.joined = false;
  state.room = room;
  showRoom();
  try {
    const me = await call("join", { name: state.name, room });
    if (room !== state.room) return; // the person has moved on meanwhile
    state.mine.add(me.id);
    sessionStorage.setItem("mine", JSON.stringify([...state.mine].slice(-50)));
    state.joined = true;
    showPeople();
    for (const entry of state.messages.values()) if (entry.state === "waiting") post(entry);
  } catch (error) {
    if (socket.connected) addLine(`Could not enter #${room}: ${error.message}`);
  }
}

// post sends a message that is already on the page. None gets lost: without a
// connection it waits, and goes out when the room is entered again; who gets it
// twice knows it by its id.
async function post(entry) {
  setState(entry, "waiting");
  if (!state.joined) return;
  const { id, text, picture } = entry.message;
  try {
    const start = performance.now();
    entry.message.at = await call("post", { id, text, picture });
    entry.took = Math.max(1, Math.round(performance.now() - start));
    if (entry.state === "waiting") setState(entry, "sent");
  } catch (error) {
    if (socket.connected) setState(entry, "failed", error.message);
  }
}

socket.on("message", (message) => {
  if (message.author.room !== state.room || state.messages.has(message.id)) return;
  const mine = state.mine.has(message.author.id);
  addMessage(message, mine ? "sent" : "received");
  if (mine) return;
  setTyping(message.author.id, false);
  socket.emit("delivered", { id: message.id, author: message.author.id });
  if (document.hidden) showUnread(state.unread + 1);
});

socket.on("delivered", ({ id, by }) => {
  const entry = state.messages.get(id);
  if (!entry) return;
  entry.receivers.add(by);
  setState(entry, "delivered");
});

socket.on("rooms", (rooms) => {
  state.rooms = rooms;
  showRooms();
  showPeople();
});
socket.on("typing", ({ id }, on) => setTyping(id, on));

// ---- Connection ------------------------------------------------------------

socket.on("connect", () => {
  state.attempts = 0;
  showConnection("connected", "Connected");
  showTransport();
  socket.io.engine.on("upgrade", () => showTransport());
  join(state.room);
});

socket.on("disconnect", (reason) => {
  state.joined = false;
  state.people = null; // whoever comes back with us is no news
  for (const id of [...state.typing.keys()]) setTyping(id, false);
  if (reason === "io server disconnect") {
    showConnection("lost", "Signed out", "The server has ended this connection.");
  } else {
    showConnection("connecting", "Reconnecting", "The connection is gone. What you write is kept and sent when it is back.");
  }
  showComposer();
});

socket.io.on("reconnect_attempt", (attempt) => {
  state.attempts = attempt;
  showConnection("connecting", "Reconnecting", `The connection is gone. Trying again (${attempt}). What you write is kept and sent when it is back.`);
});
socket.on("connect_error", () => {
  if (state.attempts === 0) showConnection("connecting", "Connecting", "The server does not answer yet. Trying again.");
});
addEventListener("offline", () => showConnection("lost", "Offline", "This device is offline."));
$("retry").addEventListener("click", () => socket.disconnect().connect());

function showConnection(kind, text, notice) {
  $("connection").dataset.state = kind;
  $("connection-text").textContent = text;
  $("transport").hidden = kind !== "connected";
  $("notice").hidden = !notice;
  $("notice-text").textContent = notice ?? "";
  $("my-state").textContent = kind === "connected" ? "online" : text.toLowerCase();
}

function showTransport(milliseconds) {
  const names = { websocket: "WebSocket", polling: "HTTP polling", webtransport: "WebTransport" };
  const transport = socket.io.engine?.transport.name;
  if (milliseconds !== undefined) state.roundTrip = Math.max(1, Math.round(milliseconds));
  $("transport").textContent = names[transport] ?? transport ?? "";
  if (state.roundTrip) $("transport").append(make("span", "took", ` · ${state.roundTrip} ms`));
  $("transport").dataset.transport = transport ?? "";
  $("transport").title = "Transport, and how long the last call took";
}

// ---- Rooms and people ------------------------------------------------------

function showRoom() {
  $("room-name").textContent = state.room;
  $("text").placeholder = `Message #${state.room}`;
  history.replaceState(null, "", `${location.search}#${encodeURIComponent(state.room)}`);
  showRooms();
  showUnread(0);
  showComposer();
}

function showRooms() {
  const rooms = { [state.room]: [], ...state.rooms };
  $("rooms").replaceChildren(...Object.keys(rooms).sort().map((name) => {
    const button = make("button", "row");
    button.dataset.room = name;
    button.append(make("span", "hash", "#"), make("span", "label", name), make("span", "count", rooms[name].length));
    button.lastChild.title = `${rooms[name].length} here`;
    button.addEventListener("click", () => { closePanels(); if (name !== state.room) join(name); });
    if (name === state.room) button.setAttribute("aria-current", "true");
    const item = make("li");
    item.append(button);
    return item;
  }));
}

function showPeople() {
  if (!state.joined) return; // the list is about to change
  const people = state.rooms[state.room] ?? [];
  if (state.people) {
    const came = people.filter((person) => !state.people.some((old) => old.id === person.id));
    const went = state.people.filter((old) => !people.some((person) => person.id === old.id));
    for (const person of came) addLine(`${person.name} joined`);
    for (const person of went) { addLine(`${person.name} left`); setTyping(person.id, false); }
  }
  state.people = people;
  $("people-count").textContent = people.length;
  $("room-about").textContent = people.length < 2 ? "Only you" : `${people.length} people: ${people.map((person) => person.name).join(", ")}`;
  $("people").replaceChildren(...people.map((person) => {
    const row = make("li", "row");
    row.dataset.person = person.id;
    row.append(avatar(person.name), make("span", "label", person.name), make("small"));
    return row;
  }));
  showTyping();
}

function avatar(name) {
  const node = make("span", "avatar", initials(name));
  node.setAttribute("aria-hidden", "true");
  node.style.setProperty("--hue", hue(name));
  return node;
}

const initials = (name) => name.trim().split(/\s+/).slice(0, 2).map((word) => [...word][0]?.toUpperCase() ?? "").join("");
const hue = (name) => [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);

// ---- Typing ----------------------------------------------------------------

function setTyping(id, on) {
  clearTimeout(state.typing.get(id));
  if (on) state.typing.set(id, setTimeout(setTyping, TYPING_LIFE, id, false));
  else state.typing.delete(id);
  showTyping();
}

function showTyping() {
  const names = (state.people ?? []).filter((person) => state.typing.has(person.id)).map((person) => person.name);
  $("typing").classList.toggle("on", names.length > 0);
  if (names.length > 0) {
    $("typing-text").textContent = names.length === 1 ? `${names[0]} is typing` : `${names.slice(0, 3).join(" and ")} are typing`;
  }
  for (const row of $("people").children) {
    const writes = state.typing.has(row.dataset.person);
    const note = row.lastChild;
    note.textContent = writes ? "typing" : state.mine.has(row.dataset.person) ? "you" : "";
    note.classList.toggle("writing", writes);
  }
}

let lastNotice = 0;
function noticeTyping(on) {
  if (!state.joined || (on && Date.now() - lastNotice < TYPING_PAUSE) || (!on && lastNotice === 0)) return;
  lastNotice = on ? Date.now() : 0;
  socket.volatile.emit("typing", on); // worth nothing later, so never kept for later
}

// ---- Conversation ----------------------------------------------------------

function addMessage(message, initial) {
  const mine = initial !== "received";
  const last = $("log").lastElementChild;
  const joined = last?.dataset.author === message.author.name && last.classList.contains("mine") === mine &&
    new Date(message.at) - new Date(last.dataset.at) < 180_000;
  const node = make("li", `message${mine ? " mine" : ""}${joined ? " joined" : ""}`);
  node.dataset.author = message.author.name;
  node.dataset.at = message.at;
  node.dataset.id = message.id;
  node.style.setProperty("--hue", hue(message.author.name));
  if (joined) last.classList.add("followed");

  const bubble = make("div", "bubble");
  if (message.picture) bubble.append(pictureButton(message));
  if (message.picture) bubble.classList.add("with-picture");
  if (message.text) bubble.append(textWithLinks(message.text));
  const meta = make("span", "meta");
  const time = make("time", "", new Date(message.at).toLocaleTimeString([], { timeStyle: "short" }));
  time.dateTime = message.at;
  meta.append(time);
  bubble.append(meta);
  node.append(avatar(message.author.name), make("div", "who", message.author.name), bubble);

  const entry = { message, node, state: "", receivers: new Set() };
  state.messages.set(message.id, entry);
  append(node, mine);
  if (mine) setState(entry, initial);
  return entry;
}

// setState moves the tick of one of our messages: waiting → sent (the server
// has acknowledged it) → delivered (another person's page has it), or failed.
function setState(entry, next, why = "") {
  entry.state = next;
  entry.node.querySelector(".delivery")?.remove();
  const labels = {
    waiting: "Not sent yet",
    sent: entry.took ? `The server has it, after ${entry.took} ms` : "The server has it",
    delivered: `Delivered to ${[...entry.receivers].join(", ")}`,
    failed: `Not sent: ${why}. Try again`,
  };
  const tick = make(next === "failed" ? "button" : "span", "delivery");
  tick.dataset.state = next;
  tick.title = labels[next];
  tick.innerHTML = `<svg class="icon tick" aria-hidden="true"><use href="#i-${next}"/></svg>`;
  if (next === "failed") {
    tick.append("Try again");
    tick.addEventListener("click", () => post(entry));
  } else {
    tick.append(make("span", "hidden", labels[next]));
  }
  entry.node.querySelector(".meta").append(tick);
}

function addLine(text) {
  append(make("li", "line", text), false);
}

function clearLog() {
  for (const image of $("log").querySelectorAll("img")) URL.revokeObjectURL(image.src);
  $("log").replaceChildren();
  state.messages.clear();
  state.people = null;
  $("empty").hidden = false;
  $("jump").hidden = true;
}

// The view follows the conversation while its end is in sight: also when a
// picture has loaded or a phone's keyboard has taken half of the page.
const atEnd = () => $("scroll").scrollHeight - $("scroll").scrollTop - $("scroll").clientHeight < 80;
const toEnd = () => { state.following = true; $("jump").hidden = true; $("scroll").scrollTop = $("scroll").scrollHeight; };
const resized = new ResizeObserver(() => { if (state.following) toEnd(); });
resized.observe($("log"));
resized.observe($("scroll"));

function append(node, force) {
  $("empty").hidden = true;
  $("log").append(node);
  if (force || state.following) toEnd();
  else if (node.classList.contains("message")) $("jump").hidden = false;
}

$("scroll").addEventListener("scroll", () => {
  state.following = atEnd();
  if (state.following) $("jump").hidden = true;
});
$("jump").addEventListener("click", toEnd);

function textWithLinks(text) {
  const node = make("span", "text");
  for (const part of text.split(/(https?:\/\/[^\s<>"]+)/)) {
    if (!/^https?:\/\//.test(part)) { node.append(part); continue; }
    const link = make("a", "", part);
    Object.assign(link, { href: part, target: "_blank", rel: "noopener noreferrer" });
    node.append(link);
  }
  return node;
}

function showUnread(count) {
  state.unread = count;
  document.title = `${count ? `(${count}) ` : ""}${state.room ? `#${state.room} · ` : ""}siokit chat`;
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) showUnread(0); });

// ---- Pictures --------------------------------------------------------------

function pictureButton({ picture, author }) {
  const type = /^image\/[\w.+-]+$/.test(picture.type) ? picture.type : "image/png";
  const url = URL.createObjectURL(new Blob([picture.data], { type }));
  const button = make("button", "picture");
  const image = make("img");
  image.alt = `Picture from ${author.name}: ${picture.name}`;
  image.width = picture.width;
  image.height = picture.height;
  image.src = url;
  button.append(image);
  button.addEventListener("click", () => {
    $("viewer-picture").src = url;
    $("viewer-picture").alt = image.alt;
    $("viewer").showModal();
  });
  return button;
}

// preparePicture makes a picture small enough to go as one message.
async function preparePicture(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, PICTURE_SIDE / Math.max(bitmap.width, bitmap.height));
  let blob = file;
  const width = Math.round(bitmap.width * scale), height = Math.round(bitmap.height * scale);
  if (scale < 1 || file.size > PICTURE_BYTES) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, width, height);
    for (let quality = 0.86; quality > 0.2; quality -= 0.15) {
      blob = await new Promise((done) => canvas.toBlob(done, "image/webp", quality));
      if (blob.size <= PICTURE_BYTES) break;
    }
  }
  bitmap.close();
  return { name: file.name.slice(0, 80), type: blob.type, width, height, data: await blob.arrayBuffer() };
}

async function takePicture(file) {
  if (!file?.type.startsWith("image/")) return;
  try {
    dropDraft();
    const picture = await preparePicture(file);
    state.draft = { picture, url: URL.createObjectURL(new Blob([picture.data], { type: picture.type })) };
    $("draft-picture").src = state.draft.url;
    $("draft-about").textContent = `${picture.name}, ${picture.width} × ${picture.height}, ${Math.ceil(picture.data.byteLength / 1024)} KB`;
    $("draft").hidden = false;
    $("text").focus();
  } catch {
    addLine(`${file.name} cannot be read as a picture`);
  }
  showComposer();
}

function dropDraft() {
  if (state.draft) URL.revokeObjectURL(state.draft.url);
  state.draft = null;
  $("draft").hidden = true;
  $("file").value = "";
  showComposer();
}

$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => takePicture($("file").files[0]));
$("draft-remove").addEventListener("click", dropDraft);
addEventListener("paste", (event) => takePicture([...event.clipboardData.files].find((file) => file.type.startsWith("image/"))));
addEventListener("dragover", (event) => { event.preventDefault(); $("drop").hidden = ![...event.dataTransfer.types].includes("Files"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("drop").hidden = true; });
addEventListener("drop", (event) => { event.preventDefault(); $("drop").hidden = true; takePicture(event.dataTransfer.files[0]); });

// ---- Composer --------------------------------------------------------------

function showComposer() {
  $("send").disabled = !$("text").value.trim() && !state.draft;
}

function fitText() {
  $("text").style.height = "auto";
  $("text").style.height = `${$("text").scrollHeight}px`;
}

$("text").addEventListener("input", () => { fitText(); showComposer(); noticeTyping($("text").value !== ""); });
$("text").addEventListener("blur", () => noticeTyping(false));
// Enter sends, Shift+Enter begins a new line. The line break itself is caught,
// not the key: that is right for telephones and while composing characters.
let shift = false;
$("text").addEventListener("keydown", (event) => { shift = event.shiftKey; });
$("text").addEventListener("beforeinput", (event) => {
  if (event.inputType !== "insertLineBreak" || shift) return;
  event.preventDefault();
  $("composer").requestSubmit();
});

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  const picture = state.draft?.picture;
  if (!text && !picture) return;
  const id = crypto.getRandomValues(new Uint32Array(3)).reduce((all, part) => all + part.toString(36), "");
  const message = { id, author: { id: socket.id ?? "", name: state.name, room: state.room }, text, picture, at: new Date().toISOString() };
  $("text").value = "";
  dropDraft();
  fitText();
  noticeTyping(false);
  post(addMessage(message, "waiting"));
});

// ---- Frame -----------------------------------------------------------------

function make(tag, className = "", text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function closePanels() {
  $("rooms-panel").classList.remove("open");
  $("people-panel").classList.remove("open");
  $("shade").hidden = true;
}
for (const [button, panel] of [["open-rooms", "rooms-panel"], ["open-people", "people-panel"]]) {
  $(button).addEventListener("click", () => { $(panel).classList.add("open"); $("shade").hidden = false; });
}
$("shade").addEventListener("click", closePanels);
addEventListener("keydown", (event) => { if (event.key === "Escape") closePanels(); });

$("new-room").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = roomName($("new-room-name").value);
  $("new-room-name").value = "";
  closePanels();
  if (name && name !== state.room) join(name);
});
const roomName = (text) => text.trim().replace(/^#+/, "").toLowerCase().replace(/\s+/g, "-").slice(0, 24);

$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});
if (localStorage.getItem("theme")) document.documentElement.dataset.theme = localStorage.getItem("theme");

function signIn(name, room) {
  state.name = name.trim();
  state.room = roomName(room) || "lobby";
  sessionStorage.setItem("name", state.name);
  $("my-name").textContent = state.name;
  $("my-avatar").textContent = initials(state.name);
  $("my-avatar").style.setProperty("--hue", hue(state.name));
  $("app").inert = false;
  showRoom();
  showConnection("connecting", "Connecting");
  socket.connect();
  $("text").focus();
}

const wanted = decodeURIComponent(location.hash.slice(1)) || "lobby";
const known = query.get("name") ?? sessionStorage.getItem("name");
if (known) {
  signIn(known, wanted);
} else {
  $("first-room").value = wanted;
  $("welcome").addEventListener("cancel", (event) => event.preventDefault());
  $("sign-in").addEventListener("submit", () => signIn($("name").value, $("first-room").value));
  $("welcome").showModal();
}
