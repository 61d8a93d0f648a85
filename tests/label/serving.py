"""Pages for the tests: small samples, a page, and requests as a browser sends them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from skpairclust.active import ActivePairLearner
from skpairclust.baselines import PCKMeans
from skpairclust.label._label_pairs import open_page
from skpairclust.label._sources import ArraySource

ROOT = Path(__file__).parents[2]
TOKEN = "a-secret-of-the-tests"


def blobs(n_each=20):
    """Return 3 compact groups in two dimensions, their classes and ids."""
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0], [9, 0], [0, 9]])
    y = np.repeat(np.arange(3), n_each)
    order = rng.permutation(len(y))
    X = centers[y] + rng.normal(size=(len(y), 2))
    return X[order], y[order], [f"s{number}" for number in range(len(y))]


def learner(**params):
    """Return a learner whose fits take milliseconds."""
    defaults = {"refit_every": 10, "random_state": 0}
    return ActivePairLearner(PCKMeans(3), **defaults | params)


def page_of(X, ids, answers, render=None, **options):
    """Return a page of samples in memory, on a free port."""
    source = ArraySource(X, ids, render, "blobs")
    teacher = options.pop("learner", None) or learner()
    return open_page(source, teacher, answers, who="ann", port=0, **options)


class Reply(dict):
    """A JSON object with the status of its reply."""

    status = 200


def send(url, sent=None, headers=(), timeout=30):
    """Return the reply to a request as a browser would send it."""
    data = None if sent is None else json.dumps(sent).encode()
    request = urllib.request.Request(url, data=data)
    if data is not None:
        request.add_header("content-type", "application/json")
    for name, value in dict(headers).items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as found:
            body, status = found.read(), found.status
    except urllib.error.HTTPError as error:
        body, status = error.read(), error.code
    try:
        reply = Reply(json.loads(body))
    except ValueError:
        reply = Reply(text=body)
    reply.status = status
    return reply


def wait_for(is_so, seconds=120):
    """Wait until something is so; the limit only ends a test that hangs."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def free_port():
    """Return the number of a port that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _hear_ctrl_c():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start_program(arguments, cwd, **options):
    """Start `python -m skpairclust.label` with a known token."""
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SKPAIRCLUST_LABEL_TOKEN": TOKEN,
        "OMP_NUM_THREADS": "1",
    }
    if os.name == "posix":
        # A shell that runs the tests in the background has Ctrl-C ignored.
        options.setdefault("preexec_fn", _hear_ctrl_c)
    return subprocess.Popen(
        [sys.executable, "-m", "skpairclust.label", *map(str, arguments)],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def is_serving(url):
    """Whether a page answers under an address."""
    try:
        return send(url + "api/progress").get("is_ready", False)
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        return False


def answer_truly(url, client, truth, mode="pair"):
    """Answer the next question from the true classes; return what was sent."""
    question = send(f"{url}api/question?client={client}&mode={mode}")["question"]
    sample = question["sample"]["id"]
    pairs = [
        [sample, other["id"], 1 if truth[sample] == truth[other["id"]] else -1]
        for other in question["others"]
    ]
    sent = {
        "id": os.urandom(8).hex(),
        "question": question["question"],
        "mode": mode,
        "pairs": pairs,
        "who": "ann",
    }
    reply = send(url + "api/answers", sent)
    assert reply.status == 200, reply
    return sent
