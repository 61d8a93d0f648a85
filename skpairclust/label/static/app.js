// The question on the screen, the keys, and the signs of progress.

import { brief, comparison, content, figure, make, picture } from "./samples.js";
import { Refused, newName, remember, request, save, unsaved } from "./saving.js";
import * as windows from "./windows.js";

const at = (id) => document.getElementById(id);
const SLOW = 15000;
const FAST = 1500;

const page = {
  client: remember("skpairclust-client", newName),
  mode: remember("skpairclust-mode", () => "pair"),
  who: null,
  keys: remember("skpairclust-keys", () => "on") === "on",
  question: null,
  // the name of the answer to the question, made when it is shown
  name: null,
  busy: true,
  earlier: [],
  place: -1,
  progress: null,
  showsEnd: false,
};

function keep(name, value) {
  try { sessionStorage.setItem(name, value); } catch { /* no storage in this frame */ }
}

function say(text) { at("said").textContent = text; }
function warn(text) { at("alert").textContent = text; }

function setBusy(busy) {
  page.busy = busy;
  at("samples").classList.toggle("waiting", busy);
}

const SILENT = "The program does not reply. Start the same command again; this page tries "
  + "on.";
const sentenceOf = (error) => (error instanceof Refused ? error.message : SILENT);

const shown = () => (page.place < 0 ? page.question : page.earlier[page.place]);

// -- showing --------------------------------------------------------------------------

function show() {
  const question = shown();
  const isEarlier = page.place >= 0;
  at("earlier").hidden = !isEarlier;
  if (isEarlier) {
    at("earlier").textContent = `Earlier answer ${page.place + 1} of `
      + `${page.earlier.length}. You said: ${wordFor(question)}. Answer again to correct `
      + "it, or go forward.";
  }
  if (!question) return;
  const isGroup = question.mode === "group";
  at("samples").dataset.question = question.question;
  at("ask").textContent = isGroup
    ? "Which of these does the sample belong with?" : "Do these two belong together?";
  (isGroup ? showGroups : showPair)(question);
  showChoices(question);
}

function wordFor(question) {
  if (question.says.every((said) => said === 0)) return "cannot tell";
  if (question.mode === "pair") return question.says[0] > 0 ? "same" : "different";
  const chosen = question.says.indexOf(1);
  return chosen < 0 ? "none of these" : `group ${chosen + 1}`;
}

function showPair({ sample, others: [other] }) {
  const samples = [sample, other];
  const box = at("samples");
  if (sample.kind === "table") {
    box.className = "table";
    box.replaceChildren(comparison(samples, samples.map((s) => String(s.id))));
    return;
  }
  box.className = "pair";
  const names = ["Left sample", "Right sample"];
  box.replaceChildren(...samples.map((s, place) =>
    figure(s, "large", `${names[place]}, ${s.id}`)));
  if (sample.rows?.length) {
    const table = comparison(samples, names);
    table.style.gridColumn = "1 / -1";
    box.append(table);
  }
}

function showGroups(question) {
  const { sample, others } = question;
  const box = at("samples");
  const isTable = sample.kind === "table";
  const candidates = others.map((other, place) => candidate(other, place, question));
  const choices = make("div", { className: "candidates", role: "group",
    ariaLabel: "An example of each group" }, ...candidates);
  if (isTable) {
    box.className = "table many";
    const titles = [`In question: ${sample.id}`,
      ...others.map((other, place) => `Group ${place + 1}: ${other.id}`)];
    box.replaceChildren(comparison([sample, ...others], titles), choices);
  } else {
    box.className = "group";
    box.replaceChildren(figure(sample, "large", `Sample in question, ${sample.id}`), choices);
  }
}

// An example of a group. Its button answers, and so does a click anywhere on it.
function candidate(other, place, question) {
  const button = make("button", { type: "button", className: "choose",
    textContent: `Group ${place + 1}` });
  button.setAttribute("aria-keyshortcuts", String(place + 1));
  button.classList.toggle("chosen", question.says?.[place] === 1);
  if (other.kind === "table") {
    button.append(make("span", { textContent: other.id }));
    button.onclick = () => choose(place);
    return button;
  }
  button.setAttribute("aria-label", `Group ${place + 1}, example ${other.id}`);
  const card = make("div", { className: "sample candidate" },
    content(other, "small", `Example of group ${place + 1}, ${other.id}`), button);
  // not the click that ends the selection of a text
  card.onclick = () => { if (!String(getSelection())) choose(place); };
  return card;
}

function choice(text, key, className, action, chosen) {
  const button = make("button", { type: "button", className },
    text, make("kbd", { textContent: key, ariaHidden: "true" }));
  // a name such as "Same S" would be read out as if it were a word
  button.setAttribute("aria-keyshortcuts", key);
  button.classList.toggle("chosen", Boolean(chosen));
  button.onclick = action;
  return button;
}

function showChoices(question) {
  const says = question.says?.[0];
  const answers = question.mode === "group"
    ? [choice("None of these", "0", "different", () => choose(-1))]
    : [choice("Same", "S", "same", () => answerPair(1), says === 1),
      choice("Different", "D", "different", () => answerPair(-1), says === -1)];
  answers.push(choice("Cannot tell", "C", "quiet",
    () => (question.mode === "group" ? choose(null) : answerPair(0)), says === 0));
  answers.push(choice("Undo", "U", "quiet", undo));
  answers.push(choice("Back", "B", "quiet", back));
  if (page.place >= 0) answers.push(choice("Forward", "F", "quiet", forward));
  replaceChoices(answers);
}

// Whoever works with Tab and Enter stays on the same button.
function replaceChoices(buttons) {
  const place = [...at("choices").children].indexOf(document.activeElement);
  at("choices").replaceChildren(...buttons);
  buttons[place]?.focus();
}

function showNothing(text) {
  at("ask").textContent = text;
  at("samples").dataset.question = "";
  at("samples").replaceChildren();
  replaceChoices([choice("Undo", "U", "quiet", undo), choice("Back", "B", "quiet", back)]);
}

// -- asking and answering -------------------------------------------------------------

async function next() {
  setBusy(true);
  page.place = -1;
  try {
    const found = await request(`api/question?client=${page.client}&mode=${page.mode}`);
    take(found.question);
  } catch (error) {
    if (error instanceof Refused && error.status === 503) {
      showNothing(error.message);
      replaceChoices([]);
    } else {
      warn(sentenceOf(error));
    }
    if (!(error instanceof Refused) || error.status === 503) setTimeout(next, 1000);
  }
}

function take(question) {
  page.question = question;
  page.name = newName();
  setBusy(false);
  if (question) show();
  else showNothing("There is nothing left to ask. Choose Finish to write the results.");
}

function answerPair(value) {
  const { sample, others } = shown() ?? {};
  if (sample) send([[sample.id, others[0].id, value]], value === 1 ? "same"
    : value === -1 ? "different" : "cannot tell");
}

function choose(place) {
  const { sample, others } = shown() ?? {};
  if (!sample || (place !== null && place >= others.length)) return;
  const value = (n) => (place === null ? 0 : n === place ? 1 : -1);
  send(others.map((other, n) => [sample.id, other.id, value(n)]),
    place === null ? "cannot tell" : place < 0 ? "none of these" : `group ${place + 1}`);
}

async function send(pairs, word) {
  if (page.busy) return;
  setBusy(true);
  const question = shown();
  const sent = { id: page.name, question: question.question, mode: question.mode, pairs,
    who: page.who, next: { client: page.client, mode: page.mode } };
  if (page.place >= 0) {
    sent.id = newName();
    sent.replaces = question.answer;
  }
  await finishSending("api/answers", sent, word);
}

async function finishSending(path, sent, word) {
  try {
    const reply = await save(path, sent, warn);
    warn("");
    say(`Saved: ${word}.`);
    if (reply.next) {
      page.place = -1;
      take(reply.next);
    } else {
      await next();
    }
    refresh();
  } catch (error) {
    warn(error.message);
    if (error.status === 409) await next();
    else setBusy(false);
  }
}

// Answers from a window: they have no question of their own.
async function answerElsewhere(pairs, mode) {
  const sent = { id: newName(), question: newName(), mode, pairs, who: page.who };
  try {
    await save("api/answers", sent, warn);
    warn("");
    say("Saved.");
    refresh();
    return true;
  } catch (error) {
    warn(error.message);
    return false;
  }
}

async function undo() {
  if (page.busy) return;
  setBusy(true);
  try {
    const sent = { id: newName(), client: page.client, who: page.who };
    const reply = await save("api/undo", sent, warn);
    warn("");
    say("Taken back: your last answer.");
    page.place = -1;
    if (reply.question) {
      setMode(reply.question.mode);
      take(reply.question);
    } else {
      await next();
    }
    refresh();
  } catch (error) {
    say(error.message);
    setBusy(false);
  }
}

async function back() {
  if (page.busy) return;
  if (page.place < 0) {
    try {
      const found = await request(`api/earlier?who=${encodeURIComponent(page.who)}`);
      page.earlier = found.earlier;
    } catch (error) {
      say(sentenceOf(error));
      return;
    }
  }
  if (page.place + 1 >= page.earlier.length) {
    say(page.earlier.length ? "This is the earliest answer shown." : "No answers yet.");
    return;
  }
  page.place += 1;
  show();
}

function forward() {
  if (page.busy || page.place < 0) return;
  page.place -= 1;
  if (page.place < 0 && !page.question) next();
  else show();
}

function setMode(mode) {
  page.mode = mode;
  keep("skpairclust-mode", mode);
  at("mode").setAttribute("aria-pressed", String(mode === "group"));
}

function changeMode() {
  if (page.busy) return;
  setMode(page.mode === "pair" ? "group" : "pair");
  next();
}

// -- progress -------------------------------------------------------------------------

const percent = (value) =>
  (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);

let timer = null;
let latest = 0;

async function refresh() {
  clearTimeout(timer);
  const own = ++latest;
  let wait = SLOW;
  try {
    const found = await request("api/progress");
    if (own !== latest) return;
    page.progress = found;
    page.who ??= remember("skpairclust-who", () => found.who);
    showProgress(found);
    if (found.state !== "idle" || found.failure) wait = FAST;
  } catch { /* the question says it */ }
  if (own === latest) timer = setTimeout(refresh, wait);
}

function stateOf(found) {
  if (found.state === "reading") return `reading ${found.done[0]} of ${found.done[1]}`;
  const words = { fitting: "improving …", finishing: "last fit …" };
  const count = found.clusters.length || "–";
  return words[found.state] ? `${count}, ${words[found.state]}` : String(count);
}

function showProgress(found) {
  document.title = `${found.answers} answers – ${found.name}`;
  at("name").textContent = found.name;
  at("answers").textContent = found.answers;
  at("minutes").textContent = Math.round(found.minutes);
  at("confirmed").textContent = percent(found.confirmed);
  at("sure").textContent = percent(found.sure);
  at("changed").textContent = percent(found.changed);
  at("state").textContent = stateOf(found);
  const number = found.contradictions ?? 0;
  at("contradictions").hidden = number === 0;
  at("contradictions").textContent = `Contradictions: ${number}`;
  if (found.failure && !windows.isOpen()) warn(found.failure);
  showNotes(found.notes);
  showStrip(found.clusters);
  if (page.showsEnd && windows.isOpen() && found.state !== page.endState) end();
}

let readNotes = 0;

function showNotes(notes) {
  const fresh = notes.slice(readNotes);
  const key = fresh.join(" ");
  if (at("notes").dataset.shown === key) return;
  at("notes").dataset.shown = key;
  if (!fresh.length) { at("notes").replaceChildren(); return; }
  const hide = make("button", { type: "button", textContent: "Hide" });
  hide.onclick = () => { readNotes = notes.length; at("notes").replaceChildren(); };
  at("notes").replaceChildren(key, hide);
}

let strip = "";

function showStrip(clusters) {
  const key = JSON.stringify(clusters);
  if (key === strip) return;
  strip = key;
  at("no-clusters").hidden = clusters.length > 0;
  at("strip").replaceChildren(...clusters.map((found, place) => {
    const isImage = found.typical[0]?.kind === "image";
    const thumbs = isImage
      ? make("span", { className: "thumbs" }, ...found.typical.map((s) =>
        picture(s, "small", "").firstChild))
      : make("span", {}, ...found.typical.slice(0, 3).map((s) =>
        make("span", { className: "brief", textContent: brief(s) })));
    const button = make("button", { type: "button" },
      make("strong", { textContent: `Cluster ${place + 1}` }), `, ${found.size}`, thumbs);
    button.setAttribute("aria-label", `Cluster ${place + 1}, ${found.size} members`);
    button.onclick = () =>
      windows.showCluster(found.cluster, place + 1, answerElsewhere);
    return make("li", {}, button);
  }));
}

function end() {
  page.showsEnd = true;
  page.endState = page.progress.state;
  windows.showEnd(page.progress, async () => {
    page.endState = "";
    try { await request("api/finish", {}); } catch (error) { warn(sentenceOf(error)); }
    refresh();
  });
}

// -- keys and buttons -----------------------------------------------------------------

const KEYS = {
  s: () => shown()?.mode === "pair" && answerPair(1),
  d: () => shown()?.mode === "pair" && answerPair(-1),
  c: () => (shown()?.mode === "group" ? choose(null) : answerPair(0)),
  u: undo, b: back, f: forward, m: changeMode, "?": windows.showHelp,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (!page.keys || windows.isOpen() || event.target.closest("input")) return;
  const isGroup = shown()?.mode === "group";
  if (isGroup && /^[0-9]$/.test(event.key)) {
    event.preventDefault();
    choose(Number(event.key) - 1);
    return;
  }
  const action = KEYS[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
});

at("mode").onclick = changeMode;
at("help").onclick = windows.showHelp;
at("finish").onclick = () => page.progress && end();
at("contradictions").onclick = () => windows.showContradictions(answerElsewhere);
at("settings").onclick = () => windows.showSettings(page, (who, keys) => {
  page.who = who;
  page.keys = keys;
  keep("skpairclust-who", who);
  keep("skpairclust-keys", keys ? "on" : "off");
  say(`Your answers are saved as those of ${who}. Keys are ${keys ? "on" : "off"}.`);
});
at("window").addEventListener("close", () => { page.showsEnd = false; });

async function start() {
  setMode(page.mode);
  await refresh();
  const left = unsaved();
  if (left) {
    // the page was left before the answer was on the disk
    try { await save(left.path, left.sent, warn); warn(""); say("Saved your last answer."); }
    catch (error) { warn(error.message); }
  }
  await next();
}

start();
