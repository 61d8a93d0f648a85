"""The page from Python, large folders, what is exported, and how it all ends."""

import os
import subprocess
import sys
import threading

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import adjusted_rand_score

from skpairclust.active import ActivePairLearner
from skpairclust.baselines import PCKMeans
from skpairclust.label import LabelError, LabelPage, _trainer, label_pairs
from skpairclust.label import _label_pairs as module
from skpairclust.label._command import make_parser, read_source
from skpairclust.label._label_pairs import default_learner, open_page
from tests.label.serving import ROOT, answer_truly, blobs, learner, send, wait_for

X, Y, IDS = blobs()
TRUTH = dict(zip(IDS, Y.tolist(), strict=True))


def opened(path, **options):
    defaults = {"ids": IDS, "answers": path, "open_browser": False, "port": 0}
    return label_pairs(X, learner(), **defaults | options)


def ready(page):
    wait_for(lambda: send(page.url + "api/progress")["is_ready"])
    return page


def test_a_script_gets_the_learner_back(tmp_path, capsys):
    page = ready(opened(tmp_path / "a.jsonl"))
    assert isinstance(page, LabelPage)
    assert f"Open {page.url}" in capsys.readouterr().out
    for _ in range(25):
        answer_truly(page.url, "c", TRUTH)
    files = page.finish()
    assert all(os.path.exists(file) for file in files)
    page.stop()
    assert adjusted_rand_score(Y, page.learner.labels_) == 1
    with pytest.raises(OSError):
        send(page.url)
    # and the file is free for the next time
    again = ready(opened(tmp_path / "a.jsonl"))
    assert len(again.learner.history_) == 25
    again.stop()


def test_a_page_in_a_block_is_stopped(tmp_path):
    with opened(tmp_path / "a.jsonl") as page:
        assert "LabelPage('http://127.0.0.1:" in repr(page)
    with pytest.raises(OSError):
        send(page.url)


def test_positions_are_names_by_default(tmp_path):
    with ready(opened(tmp_path / "a.jsonl", ids=None)) as page:
        question = send(page.url + "api/question?client=c&mode=pair")["question"]
        assert question["sample"]["id"] == question["sample"]["row"]


def test_frames_of_data_frames(tmp_path):
    table = pd.DataFrame(X, columns=["a", "b"])
    page = label_pairs(table, learner(), answers=tmp_path / "a", open_browser=False)
    with ready(page):
        question = send(page.url + "api/question?client=c&mode=pair")["question"]
        row = question["sample"]["row"]
        assert question["sample"]["rows"][0] == ["a", f"{X[row, 0]:.6g}"]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"learner": PCKMeans(3)}, TypeError, r"Wrap a clusterer: `ActivePairLearner"),
        ({"ids": ["a"] * 60}, LabelError, "59 in all\\): 'a'"),
        ({"ids": ["a"]}, ValueError, "ids has 1 entries, and X has 60 rows"),
        ({"answers": "/no/such/folder/a"}, LabelError, "cannot be written"),
    ],
)
def test_bad_arguments(tmp_path, options, error, match):
    defaults = {"answers": tmp_path / "a", "open_browser": False}
    with pytest.raises(error, match=match):
        label_pairs(X, **defaults | options)


def test_a_notebook_shows_a_frame(tmp_path, monkeypatch):
    shown = []
    display = type(sys)("IPython.display")
    display.IFrame = lambda url, **size: url
    display.display = shown.append
    monkeypatch.setitem(sys.modules, "IPython", type(sys)("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(module, "is_notebook", lambda: True)
    with opened(tmp_path / "a.jsonl") as page:
        assert shown == [page.url]
        import urllib.request

        with urllib.request.urlopen(page.url) as reply:
            policy = reply.headers["content-security-policy"]
    assert "frame-ancestors http://localhost:* http://127.0.0.1:*" in policy
    assert "default-src 'none'" in policy


def test_without_a_notebook_nobody_may_frame_it(tmp_path):
    import urllib.request

    assert not module.is_notebook()
    with opened(tmp_path / "a.jsonl") as page:
        with urllib.request.urlopen(page.url) as reply:
            assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


def test_of_many_samples_some_are_asked_about(tmp_path):
    """And all of them get a cluster in the end."""
    path = tmp_path / "a.jsonl"
    with ready(opened(path, most_rows=40)) as page:
        assert len(page._session.engine.ids) == 40
        for _ in range(20):
            answer_truly(page.url, "c", TRUTH)
        outside = sorted(set(IDS) - set(page._session.engine.ids))[0]
        told = {"id": "x", "question": "x", "mode": "pair"}
        send(
            page.url + "api/answers",
            told | {"pairs": [[outside, page._session.engine.ids[0], 0]]},
        )
    # what has been answered about is never left out
    with ready(opened(path, most_rows=45)) as page:
        assert len(page._session.engine.ids) == 45
        assert outside in page._session.engine.ids
        page.finish()
    clusters = pd.read_csv(tmp_path / "a_export" / "clusters.csv")
    assert clusters["id"].tolist() == IDS
    assert clusters["fitted"].sum() == 45
    assert adjusted_rand_score(Y, clusters["cluster"]) > 0.9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of two colors; one file is broken."""
    folder = tmp_path_factory.mktemp("colors")
    rng = np.random.default_rng(0)
    for number in range(60):
        values = rng.integers(0, 80, (24, 24, 3))
        values[..., number % 2] += 170
        image = Image.fromarray(values.astype(np.uint8))
        image.save(folder / f"{number:02d}.png")
    (folder / "59.png").write_bytes(b"not an image")
    return folder


def test_questions_start_before_all_images_are_read(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(_trainer, "_FIRST", 16)
    source = read_source(
        make_parser().parse_args([str(folder), "--features", "pixels"])
    )
    truth = {name: number % 2 for number, name in enumerate(source.ids)}
    path = tmp_path / "a.jsonl"
    view_of_first = []

    # the rest of the images is read when nothing is left to ask about the first ones
    may_go_on = threading.Event()

    def features(rows, report=None, read=source.features):
        def wait_and_report(n_done, n_all):
            if not view_of_first:
                may_go_on.wait(60)
            report(n_done, n_all)
            view_of_first.append(page._session.trainer.view)

        return read(rows, wait_and_report)

    monkeypatch.setattr(source, "features", features)
    teacher = ActivePairLearner(PCKMeans(2), refit_every=10, random_state=0)
    with open_page(source, teacher, path, port=0) as page:
        wait_for(lambda: send(page.url + "api/progress")["is_ready"])
        # one of them may be the broken one
        assert len(page._session.engine.ids) in (15, 16)
        asked = f"{page.url}api/question?client=c&mode=pair"
        while send(asked).status == 200:
            answer_truly(page.url, "c", truth)
        assert "More samples are being read" in send(asked)["error"]
        n_answers = len(path.read_text().splitlines()) - 1
        may_go_on.set()
        wait_for(lambda: len(page._session.engine.ids) > 16)
        assert len(view_of_first[0].labels) in (15, 16)
        # all answers are known to the learner of all images
        wait_for(lambda: len(page.learner.history_) == n_answers)
        assert "59.png" not in page._session.engine.ids
        assert (
            "1 broken image is left out" in send(page.url + "api/progress")["notes"][0]
        )
        while len(page.learner.history_) < 25:
            answer_truly(page.url, "c", truth)
            send(page.url + "api/progress")
        page.finish()
    model = joblib.load(tmp_path / "a_export" / "model.joblib")
    found = model.predict([str(folder / name) for name in source.ids[:20]])
    assert adjusted_rand_score([n % 2 for n in range(20)], found) == 1
    clusters = pd.read_csv(tmp_path / "a_export" / "clusters.csv")
    assert clusters["id"].tolist() == source.ids[:59]


def test_questions_start_with_what_is_read_in_time(folder, tmp_path, monkeypatch):
    """Photographs take long: some at once, then more, and all in the end."""
    sizes = []

    def make_engine(teacher, X, ids, answers, make=_trainer.Engine):
        sizes.append(len(ids))
        return make(teacher, X, ids, answers)

    monkeypatch.setattr(_trainer, "_FIRST", 24)
    monkeypatch.setattr(_trainer, "_SECONDS", 0)
    monkeypatch.setattr(_trainer, "Engine", make_engine)
    source = read_source(make_parser().parse_args([str(folder)]))
    teacher = ActivePairLearner(PCKMeans(2), refit_every=10, random_state=0)
    with open_page(source, teacher, tmp_path / "a.jsonl", port=0) as page:
        wait_for(lambda: not page._session.trainer.is_reading)
        page.finish()
    # one of them is broken
    assert sizes[0] in (15, 16) and sizes[1] in (23, 24) and sizes[2:] == [59]


def test_the_script_repeats_the_fit(tmp_path):
    table = tmp_path / "table.csv"
    frame = pd.DataFrame({"key": IDS, "a": X[:, 0], "b": X[:, 1]})
    frame.to_csv(table, index=False)
    source = read_source(make_parser().parse_args([str(table), "--ids", "key"]))
    teacher = default_learner(3)
    teacher.set_params(estimator__max_iter=20, refit={"max_iter": 2})
    with open_page(source, teacher, tmp_path / "a.jsonl", port=0) as page:
        wait_for(lambda: send(page.url + "api/progress")["is_ready"])
        for _ in range(15):
            answer_truly(page.url, "c", TRUTH)
        page.finish()
    folder = tmp_path / "a_export"
    model = joblib.load(folder / "model.joblib")
    clusters = pd.read_csv(folder / "clusters.csv")
    np.testing.assert_array_equal(model.predict(frame), clusters["cluster"])
    result = subprocess.run(
        [sys.executable, str(folder / "refit.py")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    assert "(adjusted Rand index): 1.000" in result.stdout


def test_an_export_that_cannot_be_written(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with ready(opened(tmp_path / "a.jsonl", export_to=tmp_path / "taken")) as page:
        with pytest.raises(LabelError, match="export to .*taken failed.*--export-to"):
            page.finish()
        # it goes on
        answer_truly(page.url, "c", TRUTH)


SCRIPT = """
import sys
from skpairclust.label import label_pairs
from skpairclust.label._label_pairs import default_learner
from tests.label.serving import X_Y_IDS as data, answer_truly, send, wait_for
X, y, ids = data()
page = label_pairs(
    X, default_learner(3), ids=ids, answers=sys.argv[1], open_browser=False, port=0
)
wait_for(lambda: send(page.url + "api/progress")["is_ready"])
for _ in range(20):
    answer_truly(page.url, "c", dict(zip(ids, y.tolist())))
wait_for(lambda: send(page.url + "api/progress")["state"] == "fitting")
"""


def test_a_script_may_end_during_a_fit(tmp_path):
    """A thread in the middle of PyTorch would abort the process."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("X_Y_IDS", "blobs"), tmp_path / "a"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_samples_that_cannot_be_read_are_said_everywhere(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(b"x")
    source = read_source(make_parser().parse_args([str(tmp_path)]))
    with open_page(source, learner(), tmp_path / "a.jsonl", port=0) as page:
        wait_for(lambda: send(page.url + "api/progress")["failure"])
        failure = send(page.url + "api/progress")["failure"]
        assert "Of 3 images" in failure and "can be read" in failure
        question = send(page.url + "api/question?client=c&mode=pair")
        assert (question.status, question["error"]) == (503, failure)
        with pytest.raises(LabelError, match="Of 3 images"):
            page.finish()
