"""The program is killed while people answer: nothing is lost, nothing is doubled."""

import json
import os
import random
import signal
import threading
import time
from http.client import HTTPException
from urllib.error import URLError

import numpy as np
import pytest

from tests.label.serving import (
    TOKEN,
    blobs,
    free_port,
    is_serving,
    send,
    start_program,
    wait_for,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is not there")
# Written as a table: any row is in one of three groups.
X, Y, IDS = blobs(400)
TRUTH = dict(zip(IDS, Y.tolist(), strict=True))


@pytest.fixture
def table(tmp_path):
    lines = [f"{n},{a:.4f},{b:.4f}" for n, (a, b) in zip(IDS, X, strict=True)]
    path = tmp_path / "blobs.csv"
    path.write_text("\n".join(["id,a,b", *lines]))
    return path


class Program:
    """The command, started again whenever it has been killed."""

    def __init__(self, table):
        self.port, self.table, self.process = free_port(), table, None
        self.url = f"http://127.0.0.1:{self.port}/{TOKEN}/"
        self.start()

    def start(self):
        options = ["--ids", "id", "--clusters", "3", "--no-browser"]
        arguments = [self.table, *options, "--port", self.port, "--answers", "a.jsonl"]
        self.process = start_program(arguments, self.table.parent)
        wait_for(lambda: self.process.poll() is not None or is_serving(self.url))
        assert self.process.poll() is None, self.process.stdout.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def program(table):
    found = Program(table)
    yield found
    found.kill()


def answer(program, question, name):
    """Send an answer until it is acknowledged, as the page does; return it."""
    sample = question["sample"]["id"]
    pairs = [
        [sample, other["id"], 1 if TRUTH[sample] == TRUTH[other["id"]] else -1]
        for other in question["others"]
    ]
    sent = {
        "id": name,
        "question": question["question"],
        "mode": "pair",
        "pairs": pairs,
        "who": "ann",
    }
    retry(lambda: send(program.url + "api/answers", sent, timeout=5))
    return sent


def retry(request):
    """Return the reply once there is one."""
    while True:
        try:
            reply = request()
        except (OSError, URLError, HTTPException):
            time.sleep(0.05)
            continue
        if reply.status == 503:
            # the samples are being read
            time.sleep(0.05)
            continue
        assert reply.status == 200, reply
        return reply


def ask(program):
    url = program.url + "api/question?client=c1&mode=pair"
    return retry(lambda: send(url, timeout=5))["question"]


def run_killed(program, n_answers, n_kills):
    """Answer questions while another thread kills and starts the program."""
    rng, sent, is_over = random.Random(0), {}, threading.Event()
    moments = np.linspace(0, n_answers, n_kills + 2)[1:-1].round().tolist()
    kills = []

    def kill_and_start():
        for moment in moments:
            wait_for(lambda moment=moment: is_over.is_set() or len(sent) >= moment)
            # at any moment of a request, or between two
            time.sleep(rng.uniform(0, 0.03))
            program.kill()
            kills.append(len(sent))
            program.start()

    killer = threading.Thread(target=kill_and_start)
    killer.start()
    try:
        while len(sent) < n_answers:
            question = ask(program)
            name = f"answer-{len(sent)}"
            sent[name] = answer(program, question, name)
    finally:
        is_over.set()
        killer.join()
    return sent, kills


def check_file(program, sent):
    """The file holds each acknowledged answer, as it was sent, once."""
    text = (program.table.parent / "a.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    found = {line["id"]: line for line in lines[1:]}
    assert len(lines) - 1 == len(found) == len(sent)
    for name, record in sent.items():
        assert found[name]["pairs"] == record["pairs"]
        assert found[name]["question"] == record["question"]


def test_killed_in_the_middle(program):
    sent, kills = run_killed(program, 20, 1)
    assert len(kills) == 1
    check_file(program, sent)
    progress = send(program.url + "api/progress")
    assert progress["answers"] == 20


@pytest.mark.slow
def test_killed_twenty_times(program):
    sent, kills = run_killed(program, 500, 20)
    assert len(kills) == 20
    check_file(program, sent)
    assert send(program.url + "api/progress")["answers"] == 500


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limits on this system")
def test_full_disk_is_said_and_nothing_acknowledged(table):
    import resource

    port = free_port()
    arguments = [table, "--ids", "id", "--clusters", "3", "--no-browser"]
    arguments += ["--port", port, "--answers", "a.jsonl"]

    def fill_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

    process = start_program(arguments, table.parent, preexec_fn=fill_disk)
    url = f"http://127.0.0.1:{port}/{TOKEN}/"
    try:
        wait_for(lambda: process.poll() is not None or is_serving(url))
        acknowledged, refused = [], []
        for number in range(30):
            question = send(url + "api/question?client=c&mode=pair")["question"]
            left, right = question["sample"]["id"], question["others"][0]["id"]
            reply = send(
                url + "api/answers",
                {
                    "id": f"a{number}",
                    "question": question["question"],
                    "mode": "pair",
                    "pairs": [[left, right, 0]],
                },
            )
            (acknowledged if reply.status == 200 else refused).append(reply)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert acknowledged and refused
    assert {reply.status for reply in refused} == {507}
    assert "Not saved: " in refused[0]["error"] and "Make room" in refused[0]["error"]
    lines = (table.parent / "a.jsonl").read_text().splitlines()
    saved = [json.loads(line)["id"] for line in lines[1:]]
    assert saved == [reply["saved"] for reply in acknowledged]
