"""A page with points that can be moved, enlarged and asked: one file, no network."""

import html
import json

import numpy as np

from skpairclust.constraints._labels import encode_values
from skpairclust.inspection._style import COLORS, NEUTRAL, VIOLATED, as_text

# Places on the page are whole numbers up to this.
_SCALE = 10_000


def make_page(points, labels, pairs, *, names=None, title):
    """Return the page as text.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
    labels : ndarray of shape (n_samples,)
        Clusters.
    pairs : dict of str to ndarray of shape (m, 2)
        The "must_link" and "cannot_link" pairs that are shown.
    names : sequence or None
        What is said of each sample.
    title : str

    Returns
    -------
    str
    """
    clusters, numbers = encode_values(np.asarray(labels))
    content = {
        "title": title,
        "points": _scaled(points).tolist(),
        "clusters": [as_text(name) for name in clusters],
        "numbers": numbers.tolist(),
        "names": None if names is None else [as_text(name) for name in names],
        "pairs": [
            [int(i), int(j), int(kind == "must_link")]
            for kind, listed in pairs.items()
            for i, j in listed
        ],
        "colors": [*COLORS],
        "neutral": NEUTRAL,
        "violated": VIOLATED,
    }
    # Nothing that a name holds may end the block that it stands in.
    data = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    return _PAGE.replace("$TITLE", html.escape(title)).replace("$DATA", data)


def _scaled(points):
    """Return points as whole numbers between 0 and the scale, of one unit."""
    low = points.min(axis=0)
    extent = max(float(np.ptp(points, axis=0).max()), np.finfo(np.float32).tiny)
    return np.rint((points - low) / extent * _SCALE).astype(int)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$TITLE</title>
<style>
:root { color-scheme: light dark; --back: #fff; --ink: #1c1e21; --edge: #c9ced6; }
@media (prefers-color-scheme: dark) {
  :root { --back: #16181c; --ink: #e8eaed; --edge: #454b54; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 12px; background: var(--back); color: var(--ink);
  font: 15px/1.4 system-ui, sans-serif; }
h1 { font-size: 1.2rem; margin: 0 0 8px; }
main { display: flex; flex-wrap: wrap; gap: 12px; }
canvas { flex: 1 1 340px; min-width: 0; width: 100%; height: min(78vh, 760px, 100vw);
  border: 1px solid var(--edge); border-radius: 6px; touch-action: none; cursor: grab; }
canvas:focus-visible, button:focus-visible, input:focus-visible {
  outline: 3px solid #3f90da; outline-offset: 2px; }
form { flex: 0 1 220px; max-height: min(78vh, 760px, 100vw); overflow: auto; }
label { display: flex; gap: 6px; align-items: center; padding: 3px 0; }
.dot { width: 12px; height: 12px; border-radius: 50%; flex: none; }
button { font: inherit; padding: 4px 10px; }
#told { min-height: 3em; margin: 8px 0 0; overflow-wrap: anywhere; }
</style>
<h1>$TITLE</h1>
<main>
<canvas tabindex="0" role="img" aria-label="Samples in two dimensions. Arrow keys move,
plus and minus enlarge."></canvas>
<form>
<button type="button">Show all</button>
</form>
</main>
<p id="told" role="status">
Point at a sample. Drag to move, turn the wheel to enlarge.</p>
<script id="data" type="application/json">$DATA</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const canvas = document.querySelector("canvas"), pen = canvas.getContext("2d");
const form = document.querySelector("form"), told = document.getElementById("told");
const hidden = new Set(), counts = data.clusters.map(() => 0);
let showsPairs = true, view = null, chosen = -1;
for (const n of data.numbers) counts[n] += 1;

const color = (n) => data.colors[n % data.colors.length];
const isShown = (i) => !hidden.has(data.numbers[i]);
const place = ([x, y]) => [view.x + x * view.zoom, view.y - y * view.zoom];

function fit() {
  const box = canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
  canvas.width = box.width * ratio; canvas.height = box.height * ratio;
  const wide = Math.max(...data.points.map((p) => p[0]), 1);
  const high = Math.max(...data.points.map((p) => p[1]), 1);
  const zoom = 0.92 * Math.min(canvas.width / wide, canvas.height / high);
  view = { zoom, x: (canvas.width - wide * zoom) / 2,
    y: (canvas.height + high * zoom) / 2 };
  draw();
}

function draw() {
  const ratio = window.devicePixelRatio || 1, size = 3.2 * ratio;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (const [i, j, same] of showsPairs ? data.pairs : []) {
    if (!isShown(i) || !isShown(j)) continue;
    const kept = (data.numbers[i] === data.numbers[j]) === Boolean(same);
    pen.strokeStyle = kept ? data.neutral : data.violated;
    pen.lineWidth = (kept ? 0.8 : 1.8) * ratio;
    pen.setLineDash(same ? [] : [2 * ratio, 3 * ratio]);
    pen.beginPath();
    pen.moveTo(...place(data.points[i])); pen.lineTo(...place(data.points[j]));
    pen.stroke();
  }
  pen.setLineDash([]);
  data.points.forEach((point, i) => {
    if (!isShown(i)) return;
    const [x, y] = place(point);
    pen.fillStyle = color(data.numbers[i]);
    pen.beginPath();
    pen.arc(x, y, i === chosen ? 2 * size : size, 0, 7);
    pen.fill();
  });
}

function say(i) {
  const cluster = data.clusters[data.numbers[i]];
  const pairs = data.pairs.filter((p) => p[0] === i || p[1] === i).length;
  const name = data.names ? `${data.names[i]}: ` : "";
  told.textContent = `${name}sample ${i}, cluster ${cluster}` +
    (pairs ? `, ${pairs} of the pairs shown` : "");
}

function find(event) {
  const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
  const at = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  let nearest = -1, least = (14 * ratio) ** 2;
  data.points.forEach((point, i) => {
    const [x, y] = place(point), away = (x - at[0]) ** 2 + (y - at[1]) ** 2;
    if (away < least && isShown(i)) { least = away; nearest = i; }
  });
  return [nearest, at];
}

function enlarge(factor, at) {
  view = { zoom: view.zoom * factor, x: at[0] + (view.x - at[0]) * factor,
    y: at[1] + (view.y - at[1]) * factor };
  draw();
}

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  enlarge(Math.exp(-event.deltaY / 400), find(event)[1]);
}, { passive: false });
canvas.addEventListener("pointerdown",
  (event) => canvas.setPointerCapture(event.pointerId));
canvas.addEventListener("pointermove", (event) => {
  if (event.buttons) {
    const ratio = window.devicePixelRatio || 1;
    view.x += event.movementX * ratio; view.y += event.movementY * ratio;
  } else {
    chosen = find(event)[0];
    if (chosen >= 0) say(chosen);
  }
  draw();
});
canvas.addEventListener("click", (event) => {
  chosen = find(event)[0];
  if (chosen >= 0) say(chosen);
  draw();
});
canvas.addEventListener("keydown", (event) => {
  const step = canvas.width / 12, center = [canvas.width / 2, canvas.height / 2];
  const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step],
    ArrowDown: [0, -step] };
  if (moves[event.key]) {
    view.x += moves[event.key][0]; view.y += moves[event.key][1]; draw();
  } else if (event.key === "+" || event.key === "=") enlarge(1.25, center);
  else if (event.key === "-") enlarge(0.8, center);
  else return;
  event.preventDefault();
});

function addChoice(text, shade, change) {
  const label = document.createElement("label"), box = document.createElement("input");
  box.type = "checkbox"; box.checked = true;
  box.addEventListener("change", () => { change(box.checked); draw(); });
  label.append(box);
  if (shade) {
    const dot = document.createElement("span");
    dot.className = "dot"; dot.style.background = shade; label.append(dot);
  }
  label.append(text); form.append(label);
}

data.clusters.forEach((name, n) => addChoice(`${name} (${counts[n]})`, color(n),
  (on) => { if (on) hidden.delete(n); else hidden.add(n); }));
if (data.pairs.length) {
  addChoice("pairs; cannot-links are dotted", data.neutral,
    (on) => { showsPairs = on; });
  const note = document.createElement("p");
  note.textContent = "Pairs that the clusters violate are bright.";
  note.style.borderLeft = `6px solid ${data.violated}`; note.style.paddingLeft = "8px";
  form.append(note);
}
document.querySelector("button").addEventListener("click", fit);
window.addEventListener("resize", fit);
fit();
</script>
</html>
"""
