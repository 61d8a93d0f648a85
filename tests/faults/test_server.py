"""The server of the user guide answers many clients at once, each one right."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpairclust import ConstrainedNeuralClusterer

PAGE = Path(__file__).parents[2] / "docs/guide/serving.md"
X, y = load_wine(return_X_y=True)
N_CLIENTS, N_REQUESTS = 16, 8


@pytest.fixture(scope="module")
def model():
    clusterer = ConstrainedNeuralClusterer(3, max_iter=3, random_state=0)
    return make_pipeline(StandardScaler(), clusterer).fit(X, y)


@pytest.fixture
def url(model):
    """Start the server that the page shows."""
    (code,) = re.findall(
        r"^```python\n(import json\n.*?)^```", PAGE.read_text(), re.M | re.S
    )
    assert len([line for line in code.splitlines() if line.strip()]) <= 26
    n_threads = torch.get_num_threads()
    names = {"model": model, "torch": torch}
    exec(code, names)
    server = names["server"]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    torch.set_num_threads(n_threads)


def ask(url, rows):
    with urlopen(Request(url, json.dumps(rows).encode()), timeout=60) as reply:
        return json.load(reply)


def test_every_answer_is_right(url, model):
    labels, sure = model.predict(X), model.predict_proba(X).max(axis=1)
    rng = np.random.RandomState(0)
    asked = [rng.choice(len(X), rng.randint(1, 40)) for _ in range(N_CLIENTS)]
    start = threading.Barrier(N_CLIENTS)

    def count_right(rows):
        start.wait()
        answers = [ask(url, X[rows].tolist()) for _ in range(N_REQUESTS)]
        return sum(
            answer["cluster"] == labels[rows].tolist()
            and np.allclose(answer["sure"], sure[rows], atol=1e-5)
            for answer in answers
        )

    # What goes wrong in a thread of the pool goes wrong here.
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        assert list(pool.map(count_right, asked)) == [N_REQUESTS] * N_CLIENTS


@pytest.mark.parametrize("rows", [[[1.0, 2.0]], [], [[None] * 13], [["a"] * 13]])
def test_wrong_rows_are_answered_and_the_server_goes_on(rows, url):
    with pytest.raises(HTTPError) as error:
        ask(url, rows)
    assert error.value.code == 400
    assert json.load(error.value)["error"]
    assert len(ask(url, X[:2].tolist())["cluster"]) == 2
