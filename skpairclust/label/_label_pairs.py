"""label_pairs: the page from Python."""

import getpass
from pathlib import Path

from skpairclust.active import ActivePairLearner
from skpairclust.label._answers_file import AnswersFile
from skpairclust.label._extras import import_extra
from skpairclust.label._page import LabelPage, open_browser
from skpairclust.label._session import LabelSession
from skpairclust.label._sources import ArraySource

# Of more samples, questions are about so many.
MOST_ROWS = 20_000
# Fits between questions are short and start from the last one.
_SHORT = {"max_iter": 15, "warm_start": True}
_N_QUESTIONS = 200


def default_learner(n_clusters="auto", random_state=0):
    """Return the learner that the page uses if there is no other."""
    from skpairclust import ConstrainedNeuralClusterer

    return ActivePairLearner(
        ConstrainedNeuralClusterer(n_clusters),
        n_queries=_N_QUESTIONS,
        refit=_SHORT,
        random_state=random_state,
    )


def label_pairs(
    X,
    learner=None,
    *,
    render=None,
    ids=None,
    answers="answers.jsonl",
    who=None,
    port=None,
    open_browser=True,
    most_rows=MOST_ROWS,
    export_to=None,
    accept_changed_data=False,
):
    """Open a page on which a person says which samples belong together.

    In a notebook it is shown in a frame, elsewhere in the browser. The function does
    not wait: the page is served from a thread until `stop`, and `wait` waits.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Samples as the clusterer takes them.

    learner : ActivePairLearner or None, default=None
        What asks and fits. It is started anew with X and told the answers of the file.
        None is one with a `ConstrainedNeuralClusterer` and ``n_clusters="auto"``.

    render : callable or None, default=None
        ``render(row)`` returns what is shown of a row of X: a text, a dict of values,
        an array of an image, an image of Pillow, or the bytes of a PNG or JPEG file.
        None shows X itself: images if it has 3 or 4 dimensions, else its values.

    ids : array-like of shape (n_samples,) or None, default=None
        Names of the samples, for the file of answers. None is their positions.

    answers : path-like, default="answers.jsonl"
        File of answers. If it exists, the session goes on.

    who : str or None, default=None
        Name of the person; None is that of the user of this machine.

    port : int or None, default=None
        None is 8765, or a free one.

    open_browser : bool, default=True
        Whether to open a browser. The address is printed in any case.

    most_rows : int, default=20000
        Of more samples, questions and fits are about so many, drawn at random. The rest
        is predicted in the export.

    export_to : path-like or None, default=None
        Folder of the export; None is one beside the file of answers.

    accept_changed_data : bool, default=False
        Whether to go on with the answers of an earlier form of the data.

    Returns
    -------
    page : LabelPage
        With `url`, `learner`, `finish`, `wait` and `stop`.

    Raises
    ------
    ImportError
        If a package of the extra "label" is missing.
    LabelError
        If the file of answers, the ids or the port cannot be used.
    TypeError, ValueError
        If X or the learner cannot be used.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from sklearn.datasets import load_iris
    >>> from skpairclust.active import ActivePairLearner
    >>> from skpairclust.baselines import PCKMeans
    >>> from skpairclust.label import label_pairs
    >>> X = load_iris().data
    >>> page = label_pairs(
    ...     X,
    ...     ActivePairLearner(PCKMeans(3), random_state=0),
    ...     answers=mkdtemp() + "/answers.jsonl",
    ...     open_browser=False,
    ... )
    Open http://127.0.0.1:...
    >>> page.stop()
    """
    source = ArraySource(X, ids, render)
    learner = _check_learner(learner)
    in_notebook = is_notebook()
    page = open_page(
        source,
        learner,
        answers,
        who=who,
        port=port,
        most_rows=most_rows,
        export_to=export_to,
        accept_changed_data=accept_changed_data,
        in_notebook=in_notebook,
    )
    show(page, open_browser, in_notebook)
    return page


def _check_learner(learner):
    """Return the learner, the default one for None, or raise."""
    if learner is None:
        return default_learner()
    if not isinstance(learner, ActivePairLearner):
        raise TypeError(
            f"learner={learner!r:.80} must be an ActivePairLearner. Wrap a clusterer: "
            "`ActivePairLearner(clusterer)`."
        )
    return learner


def open_page(
    source,
    learner,
    answers,
    *,
    who=None,
    host="127.0.0.1",
    port=None,
    most_rows=MOST_ROWS,
    export_to=None,
    accept_changed_data=False,
    in_notebook=False,
):
    """Return a page that is served, for samples of any source."""
    for name in ("starlette", "uvicorn"):
        import_extra(name)
    answers = Path(answers)
    file = AnswersFile(
        answers,
        source.fingerprint,
        len(source),
        source.name,
        accept_changed=accept_changed_data,
    )
    try:
        if export_to is None:
            export_to = answers.with_name(f"{answers.stem}_export")
        source.notes += file.notes
        session = LabelSession(
            source, learner, file, who or user_name(), most_rows, Path(export_to)
        )
        return LabelPage(session, host, port, in_notebook)
    except BaseException:
        file.close()
        raise


def user_name():
    """Return the name of the user of this machine."""
    try:
        return getpass.getuser()[:80]
    except (OSError, KeyError, ImportError):
        return "somebody"


def is_notebook():
    """Whether this runs in a notebook that can show frames."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return type(get_ipython()).__name__ == "ZMQInteractiveShell"


def show(page, in_browser, in_notebook):
    """Show a page, or say how to see it."""
    print(f"Open {page.url}")
    if in_notebook:
        from IPython.display import IFrame, display

        display(IFrame(page.url, width="100%", height=760))
        print(
            "If the frame stays empty, the notebook runs on another machine: forward "
            "its port (ssh -L) and open the address above in your browser."
        )
    elif in_browser and not open_browser(page.url):
        print("No browser was found here. Copy the address into one.")
