"""How long a person waits for the next question, in a real browser.

5,000 samples; the clock runs in the page, from the key to the next question on the
screen, with the answer on the disk in between. Without a pause, fits run beside most of
the questions; a person is slower.

    python -m benchmarks.bench_label [--rows 5000] [--answers 100] [--pause 0]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from skpairclust.label._label_pairs import default_learner, open_page
from skpairclust.label._sources import ArraySource
from tests.label.browser import find_browser, opened_browser
from tests.label.test_browser import Person

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
    """Answer, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--answers", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0, help="seconds to think")
    args = parser.parse_args()
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
