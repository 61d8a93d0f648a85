"""Draw the picture of the labeling page for the README and the guide.

A scripted person answers questions about digits in a headless browser.

    python -m benchmarks.label_picture [--answers 60] [--picture FILE]
"""

import argparse
import tempfile
import time
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

from skpairclust.label._command import make_parser, read_source
from skpairclust.label._label_pairs import default_learner, open_page
from tests.label.browser import find_browser, opened_browser
from tests.label.test_browser import Person


def main():
    """Answer, wait for the clusters, take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--picture", type=Path, default="docs/images/labeling.png")
    args = parser.parse_args()
    y = load_digits().target
    truth = {f"digit-{number:04d}": kind for number, kind in enumerate(y.tolist())}
    source = read_source(make_parser().parse_args(["digits"]))
    path = Path(tempfile.mkdtemp(), "answers.jsonl")
    with (
        opened_browser(find_browser()) as browser,
        open_page(source, default_learner(10), path, port=0) as page,
    ):
        size = {"width": 1120, "height": 800}
        person = Person(browser, page.url, truth, viewport=size)
        for _ in range(args.answers):
            person.answer()
        while page.learner.is_fit_due:
            time.sleep(0.2)
        # its signs of progress are those of the last fit
        person.tab.reload()
        person.wait()
        person.tab.wait_for_load_state("networkidle")
        person.tab.screenshot(path=args.picture)
        person.close()
    Image.open(args.picture).convert("RGB").save(args.picture, optimize=True)
    print(f"{args.picture}: {args.picture.stat().st_size} bytes")


if __name__ == "__main__":
    main()
