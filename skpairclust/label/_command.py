"""The command line: which samples, which answers, where the page is."""

import argparse
import sys
from functools import partial
from pathlib import Path

from skpairclust.label._errors import LabelError
from skpairclust.label._extras import import_extra
from skpairclust.label._image_folder import ImageFolder
from skpairclust.label._label_pairs import (
    MOST_ROWS,
    default_learner,
    open_page,
    show,
)
from skpairclust.label._sources import ArraySource, read_embeddings
from skpairclust.label._table_source import TABLES, TableSource

DEMO = "digits"


def main(arguments=None):
    """Open a page, and return the exit status.

    Parameters
    ----------
    arguments : list of str or None
        None is those of the command line.
    """
    args = make_parser().parse_args(arguments)
    try:
        run(args)
    except LabelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def make_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m skpairclust.label",
        description="Open a page on which a person says which samples belong together.",
        epilog="Each answer is in the file of answers before the next question comes. "
        "The same command goes on where it was stopped.",
    )
    add = parser.add_argument
    add(
        "file",
        help="a folder of images, or a CSV or Parquet table; "
        f"'{DEMO}' shows scikit-learn's handwritten digits",
    )
    add("--ids", metavar="COLUMN", help="column of names; default: row numbers")
    add("--text", metavar="COLUMN", help="column of texts to compare")
    add("--embeddings", metavar="FILE", help=".npy or .npz file with a row per sample")
    add(
        "--features", choices=("network", "pixels"), default="network", help="of images"
    )
    add("--pipeline", metavar="FILE", help="Python file that sets `pipeline`")
    add("--encoding", default="utf-8", help="of a CSV file (default: utf-8)")
    add("--clusters", type=_clusters, default="auto", metavar="K|auto")
    add("--answers", type=Path, metavar="FILE", help="default: NAME.answers.jsonl")
    add("--accept-changed-data", action="store_true", help="keep answers of other data")
    add("--who", metavar="NAME", help="your name; default: that of the user")
    add("--most-rows", type=_most_rows, default=MOST_ROWS, metavar="N")
    add("--export-to", type=Path, metavar="FOLDER", help="default: beside the answers")
    add("--host", default="127.0.0.1", help="default: this machine only")
    add("--port", type=_port, help="default: 8765, or a free one")
    add("--no-browser", action="store_true", help="only print the address")
    return parser


def _clusters(text):
    """Return a number of clusters, or "auto"."""
    if text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a number of clusters of at least 1, or 'auto'"
        )
    return int(text)


def _most_rows(text):
    """Return a number of samples."""
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} must be an integer of at least 2")
    return int(text)


def _port(text):
    """Return a number of a port."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} must be an integer up to 65535")
    return int(text)


def run(args):
    """Open the page that the arguments describe, and wait until Ctrl-C."""
    for name in ("starlette", "uvicorn"):
        import_extra(name)
    source = read_source(args)
    answers = args.answers or Path(f"{Path(source.name).stem}.answers.jsonl")
    print(f"{len(source)} samples of {source.name}. Answers: {answers}", flush=True)
    page = open_page(
        source,
        partial(default_learner, args.clusters),
        answers,
        who=args.who,
        host=args.host,
        port=args.port,
        most_rows=args.most_rows,
        export_to=args.export_to,
        accept_changed_data=args.accept_changed_data,
    )
    if source.embeddings is None and source.pipeline:
        print(
            f"\nFeatures are made so; --pipeline takes another:\n\n{source.pipeline}\n"
        )
    for note in source.notes:
        print(note)
    if args.host not in ("127.0.0.1", "localhost", "::1"):
        print(
            "Others on the network can reach this page. It is not encrypted: give its "
            "address only to people you trust, on a network you trust."
        )
    show(page, not args.no_browser, in_notebook=False)
    print("Ctrl-C stops. Nothing is lost.", flush=True)
    page.wait(for_fit=False)


def read_source(args):
    """Return the samples that the arguments name."""
    path = Path(args.file)
    if args.file == DEMO and not path.exists():
        return read_digits()
    if path.is_dir():
        _refuse(args, "a folder of images", "ids", "text", "pipeline")
        import_extra("PIL.Image")
        source = ImageFolder(path, args.features)
    elif path.suffix.lower() in TABLES and path.is_file():
        source = TableSource(path, args.ids, args.text, args.encoding, args.pipeline)
    elif not path.exists():
        raise LabelError(
            f"{path} does not exist. Give a folder of images, a table "
            f"({', '.join(TABLES)}), or '{DEMO}'."
        )
    else:
        raise LabelError(
            f"{path} is neither a folder of images nor a table ({', '.join(TABLES)}). "
            "Give the folder that an image is in, or convert the file to CSV."
        )
    if args.embeddings is not None:
        source.embeddings = read_embeddings(args.embeddings, source.ids)
    return source


def _refuse(args, what, *names):
    """Raise if an option is given that does not apply."""
    given = [f"--{name}" for name in names if getattr(args, name) is not None]
    if given:
        raise LabelError(
            f"{', '.join(given)} is for tables, and {args.file} is {what}. Leave it "
            "out; images are named by their files."
        )


def read_digits():
    """Return scikit-learn's digits, to try the page."""
    from sklearn.datasets import load_digits

    Image = import_extra("PIL.Image")
    images = load_digits().images

    def render(row):
        # dark on light, as on paper, and smooth: 8 x 8 squares are hard to read
        values = (255 - images[row] * 255 / 16).round().astype("uint8")
        return Image.fromarray(values).resize((96, 96), Image.Resampling.BICUBIC)

    ids = [f"digit-{number:04d}" for number in range(len(images))]
    X = images.reshape(len(images), -1) / 16
    return ArraySource(X, ids, render, DEMO)
