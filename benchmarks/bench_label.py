"""How long a person waits for the next question, in a real browser.

5,000 samples; the clock runs in the page, from the key to the next question on the
screen, with the answer on the disk in between. Without a pause, fits run beside most of
the questions; a person is slower.

    python -m benchmarks.bench_label [--rows 5000] [--answers 100] [--pause 0]

With ``--images 100000`` it is the wait for the first question instead, of a folder of
so many JPEG files of 96 x 96 pixels.
"""

import argparse
import tempfile
import time
from http import HTTPStatus
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from skpairclust.label._label_pairs import default_learner, open_page
from skpairclust.label._sources import ArraySource
from tests.label.browser import find_browser, opened_browser
from tests.label.serving import (
    TOKEN,
    free_port,
    is_serving,
    send,
    start_program,
    wait_for,
)
from tests.label.test_browser import Person

# Different images; the others are copies.
_N_DIFFERENT, _IMAGES_A_FOLDER = 500, 1000

# Presses a key, and returns the milliseconds until the next question is drawn.
_CLOCK = """key => new Promise(done => {
  const samples = document.querySelector('#samples');
  const before = samples.dataset.question, start = performance.now();
  const look = () => {
    if (samples.dataset.question === before) { requestAnimationFrame(look); return; }
    done(performance.now() - start);
  };
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  requestAnimationFrame(look);
})"""


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--answers", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0, help="seconds to think")
    parser.add_argument("--images", type=int, help="wait for the first question")
    args = parser.parse_args()
    if args.images:
        with tempfile.TemporaryDirectory() as folder:
            time_start(Path(folder), args.images)
    else:
        time_answers(args)


def time_start(folder, n_images):
    """Print the seconds until the page opens, and until it asks."""
    rng = np.random.default_rng(0)
    kinds = []
    for number in range(min(n_images, _N_DIFFERENT)):
        pixels = rng.integers(256, size=(6, 6, 3), dtype=np.uint8)
        path = folder / f"{number}.jpg"
        Image.fromarray(pixels).resize((96, 96)).save(path)
        kinds.append(path.read_bytes())
        path.unlink()
    for number in range(n_images):
        place = folder / "images" / str(number // _IMAGES_A_FOLDER)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.jpg").write_bytes(kinds[number % len(kinds)])
    port = free_port()
    options = ["--clusters", 10, "--answers", folder / "a.jsonl", "--no-browser"]
    start = time.perf_counter()
    program = start_program([folder / "images", *options, "--port", port], folder)
    url = f"http://127.0.0.1:{port}/{TOKEN}/"
    try:
        wait_for(lambda: _opens(url))
        opened = time.perf_counter() - start
        # Ready for questions, and then the first one.
        wait_for(lambda: is_serving(url))
        wait_for(lambda: send(f"{url}api/question?client=c&mode=pair")["question"])
        asked = time.perf_counter() - start
    finally:
        program.kill()
        program.wait()
    print(f"{n_images} images: opens after {opened:.1f} s, asks after {asked:.1f} s")


def _opens(url):
    """Whether the page is there, with a question or without."""
    try:
        return send(url).status == HTTPStatus.OK
    except OSError:
        return False


def time_answers(args):
    """Answer in a browser, and print the times."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    rows = rng.integers(len(X), size=args.rows)
    X = X[rows] / 16 + rng.normal(0, 0.05, (args.rows, X.shape[1]))
    ids = [f"s{number}" for number in range(args.rows)]
    truth = dict(zip(ids, y[rows].tolist(), strict=True))
    source = ArraySource(X, ids, lambda row: f"sample {row}")
    path = Path(tempfile.mkdtemp(), "answers.jsonl")
    with (
        opened_browser(find_browser()) as browser,
        open_page(source, default_learner(10), path, port=0) as page,
    ):
        person = Person(browser, page.url, truth)
        times, states = [], []
        for _ in range(args.answers):
            left, right = person.names()
            time.sleep(args.pause)
            key = "s" if truth[left] == truth[right] else "d"
            states.append(page._session.trainer.state)
            times.append(person.tab.evaluate(_CLOCK, key))
        person.close()
    times, is_fitting = np.array(times), np.array(states) == "fitting"
    for name, chosen in (("all", times), ("during a fit", times[is_fitting])):
        if len(chosen):
            print(
                f"{name}: {len(chosen)} answers, median {np.median(chosen):.0f} ms, "
                f"90 % {np.quantile(chosen, 0.9):.0f} ms, most {chosen.max():.0f} ms"
            )


if __name__ == "__main__":
    main()
