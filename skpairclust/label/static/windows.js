// What opens over the question: clusters, contradictions, settings, help, the end.

import { figure, make } from "./samples.js";
import { request } from "./saving.js";

const dialog = document.getElementById("window");
const body = document.getElementById("window-body");
const title = document.getElementById("window-title");
document.getElementById("close").onclick = () => dialog.close();
dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };

export const isOpen = () => dialog.open;

export function open(text, ...children) {
  title.textContent = text;
  dialog.classList.remove("narrow");
  body.replaceChildren(...children);
  if (!dialog.open) dialog.showModal();
  title.focus();
  dialog.scrollTop = 0;
}

// Without samples in it.
function openNarrow(text, ...children) {
  open(text, ...children);
  dialog.classList.add("narrow");
}

export function close() { dialog.close(); }

function problem(error) {
  return make("p", { role: "alert", textContent: error.message });
}

// `answer(pairs, mode)` saves answers and returns whether they are saved.
export async function showCluster(cluster, number, answer, odd = false) {
  let found;
  const get = (start) =>
    request(`api/cluster?cluster=${cluster}&start=${start}&odd=${odd ? 1 : 0}`);
  try { found = await get(0); } catch (error) { open("Cluster", problem(error)); return; }
  const { typical } = found;
  const list = make("ul", { className: "members" });
  const add = (members) => members.forEach((sample) =>
    list.append(make("li", {}, member(sample, typical, answer))));
  add(found.members);
  const more = make("button", { type: "button", textContent: "Show more",
    hidden: found.members.length >= found.size });
  more.onclick = async () => {
    try {
      const next = await get(list.children.length);
      add(next.members);
      more.hidden = list.children.length >= found.size;
    } catch (error) {
      list.after(problem(error));
    }
  };
  const order = make("button", { type: "button", ariaPressed: String(odd),
    textContent: "Least typical first" });
  order.onclick = () => showCluster(cluster, number, answer, !odd);
  open(`Cluster ${number}: ${found.size} members`,
    make("p", { textContent: 'Press "Does not belong" under a member that differs from '
      + "the most typical one. This is saved as the answer \"different\"." }),
    make("div", {}, order), list, more);
}

function member(sample, typical, answer) {
  const shown = figure(sample, "small", `Member ${sample.id}`, true);
  if (sample.id === typical.id) {
    shown.append(make("strong", { textContent: "Most typical" }));
    return shown;
  }
  const button = make("button", { type: "button", textContent: "Does not belong" });
  button.setAttribute("aria-label", `${sample.id} does not belong`);
  button.onclick = async () => {
    button.disabled = true;
    if (await answer([[sample.id, typical.id, -1]], "cluster")) {
      button.textContent = "Saved: different";
    } else {
      button.disabled = false;
    }
  };
  shown.append(button);
  return shown;
}

export async function showContradictions(answer) {
  let found;
  try { found = await request("api/contradictions"); }
  catch (error) { open("Contradictions", problem(error)); return; }
  if (!found.chains.length) {
    open("Contradictions", make("p", { textContent: "There are none any more." }));
    return;
  }
  open("Contradictions",
    make("p", { textContent: "The answers of each chain cannot all be right. The first "
      + "one of a chain is left out for now. Look at the pairs, and answer again where an "
      + "answer was wrong. Of several answers to a pair, the majority counts." }),
    ...found.chains.map((chain) => make("ol", { className: "chain" },
      ...chain.map((link, place) => make("li", {}, linkOf(link, place, answer))))));
}

const WORDS = { 1: "same", "-1": "different", 0: "known before" };

function linkOf(link, place, answer) {
  const says = make("div", { className: "says" }, make("div", { className: "was" },
    make("strong", { className: WORDS[link.says], textContent: WORDS[link.says] }),
    place === 0 ? ", left out" : ""));
  for (const [value, word] of [[1, "Same"], [-1, "Different"]]) {
    const button = make("button", { type: "button", textContent: `${word}, on second look` });
    button.onclick = async () => {
      button.disabled = true;
      if (await answer([[link.left.id, link.right.id, value]], "chain")) {
        await showContradictions(answer);
      } else { button.disabled = false; }
    };
    says.append(button);
  }
  return make("div", { className: "link" },
    figure(link.left, "small", `Sample ${link.left.id}`), says,
    figure(link.right, "small", `Sample ${link.right.id}`));
}

export function showSettings({ who, keys }, change) {
  const name = make("input", { id: "who", value: who ?? "", maxLength: 80,
    autocomplete: "name" });
  const letters = make("input", { id: "letters", type: "checkbox", checked: keys });
  const save = make("button", { type: "button", textContent: "Save settings" });
  const use = () => {
    if (name.value.trim()) { change(name.value.trim(), letters.checked); close(); }
  };
  save.onclick = use;
  name.onkeydown = (event) => { if (event.key === "Enter") use(); };
  openNarrow("Settings", make("div", { className: "fields" },
    make("label", { htmlFor: "who", textContent: "Your name" }), name,
    make("p", { textContent: "It is written beside each of your answers, so that two "
      + "people can work on one file. Undo takes back your own answers only." }),
    make("label", {}, letters, " Single keys answer (S, D, C and so on)"), save));
}

const FIGURES = [
  ["Minutes", "of work, without breaks"],
  ["Guesses right", "how often the model, which guesses before you answer, was right of "
    + "late; guesses are never shown"],
  ["Sure", "how probable the cluster of a sample is, on average"],
  ["Changed", "how many samples the latest answers moved to another cluster"],
];

export function showHelp() {
  const keys = [
    ["S", "Same"], ["D", "Different"], ["C", "Cannot tell"],
    ["U", "Undo: take your last answer back"],
    ["B", "Back: look at earlier answers, and correct them"],
    ["F", "Forward again"], ["M", "Compare one sample with groups, or with one other"],
    ["1 – 9", "The group that the sample belongs with"], ["0", "None of these groups"],
    ["?", "This help"],
  ];
  const rows = keys.map(([key, text]) => make("tr", {},
    make("th", { scope: "row" }, make("kbd", { textContent: key })),
    make("td", { textContent: text })));
  const meanings = FIGURES.flatMap(([name, text]) => [
    make("dt", { textContent: name }), make("dd", { textContent: text })]);
  openNarrow("Help", make("h3", { textContent: "Keys" }),
    make("table", { className: "keys" }, make("tbody", {}, ...rows)),
    make("h3", { textContent: "Figures at the top" }),
    make("dl", { className: "meanings" }, ...meanings),
    make("p", { textContent: "An answer is on the disk before the next question comes. "
      + "You can stop at any time; the same command goes on where you were." }));
}

const FILES = {
  "pairs.csv": "the answers that are kept, by id",
  "clusters.csv": "the cluster of each sample",
  "model.joblib": "the fitted model, for new samples",
  "refit.py": "a script that repeats the fit",
  "features.joblib": "the features, for the script",
};

export function showEnd(progress, start) {
  const { exported } = progress;
  const busy = progress.state === "finishing";
  const lines = [make("p", { textContent: `${progress.answers} answers in `
    + `${progress.minutes} minutes. Finish fits once more to all answers, which takes `
    + "longer than the fits in between, and writes these files." })];
  if (progress.failure) lines.push(problem({ message: progress.failure }));
  lines.push(make("p", { textContent: exported.length
    ? `They have been written to ${progress.folder}:`
    : `They will be written to ${progress.folder}:` }),
  make("ul", { className: "files" }, ...Object.entries(FILES).map(([name, text]) =>
    make("li", {}, exported.includes(name)
      ? make("a", { href: `export/${name}`, download: name, textContent: name })
      : name, `: ${text}`))));
  const button = make("button", { type: "button", disabled: busy, textContent: busy
    ? "Fitting …" : exported.length ? "Fit and write them again" : "Fit and write the files" });
  button.onclick = start;
  openNarrow("Finish", ...lines, make("div", {}, button));
}
