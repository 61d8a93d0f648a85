"""Draw the picture of the labeling page for the README and the guide.

A scripted person answers questions about digits in a headless browser.

    python -m benchmarks.label_picture [--answers 60] [--animation FILE]
"""

import argparse
import io
import tempfile
import time
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

from skpairclust.label._command import make_parser, read_source
from skpairclust.label._label_pairs import default_learner, open_page
from tests.label.browser import find_browser, opened_browser
from tests.label.test_browser import Person

# One frame of the animation per so many answers, for so many milliseconds each.
_EVERY, _SHOWN = 3, 900


def take_frame(tab):
    """Return a small picture of the page."""
    frame = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    return frame.resize((700, round(700 * frame.height / frame.width)))


def write_animation(frames, path):
    """Write a WebP that shows each frame for a while."""
    durations = [_SHOWN] * (len(frames) - 1) + [4000]
    options = {"duration": durations, "loop": 0, "quality": 40, "method": 6}
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    print(f"{path}: {path.stat().st_size} bytes, {sum(durations) / 1000:.0f} seconds")


def main():
    """Answer, wait for the clusters, take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--picture", type=Path, default="docs/images/labeling.png")
    parser.add_argument("--animation", type=Path, help="a WebP of the answers as well")
    args = parser.parse_args()
    y = load_digits().target
    truth = {f"digit-{number:04d}": kind for number, kind in enumerate(y.tolist())}
    source = read_source(make_parser().parse_args(["digits"]))
    path = Path(tempfile.mkdtemp(), "answers.jsonl")
    with (
        opened_browser(find_browser()) as browser,
        open_page(source, default_learner(10), path, port=0) as page,
    ):
        size = {"width": 1120, "height": 790}
        person = Person(browser, page.url, truth, viewport=size)
        frames = []
        for number in range(args.answers):
            if args.animation and number % _EVERY == 0:
                frames.append(take_frame(person.tab))
            person.answer()
            while number % 20 == 19 and page.learner.is_fit_due:
                time.sleep(0.2)
        # its signs of progress are those of the last fit
        person.tab.reload()
        person.wait()
        person.tab.wait_for_load_state("networkidle")
        person.tab.screenshot(path=args.picture)
        frames.append(take_frame(person.tab))
        person.close()
    Image.open(args.picture).convert("RGB").save(args.picture, optimize=True)
    if args.animation:
        write_animation(frames, args.animation)
    print(f"{args.picture}: {args.picture.stat().st_size} bytes")


if __name__ == "__main__":
    main()
