"""The page over HTTP: questions, answers, undo, clusters, who may ask."""

import json
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from skpairclust import PairwiseConstraints
from skpairclust.label._errors import LabelError
from tests.label.serving import (
    answer_truly,
    blobs,
    page_of,
    send,
    wait_for,
)

X, Y, IDS = blobs()
TRUTH = dict(zip(IDS, Y.tolist(), strict=True))


@pytest.fixture
def page(tmp_path):
    with page_of(X, IDS, tmp_path / "answers.jsonl") as found:
        wait_for(lambda: send(found.url + "api/progress")["is_ready"])
        yield found


def lines_of(page):
    text = page._session.answers.path.read_text()
    return [json.loads(line) for line in text.splitlines()]


def ask(page, client="c1", mode="pair"):
    return send(f"{page.url}api/question?client={client}&mode={mode}")["question"]


def answer_to(question, says=1, name="a1", **fields):
    """Return what a page sends for a question about a pair."""
    left, right = question["sample"]["id"], question["others"][0]["id"]
    return {
        "id": name,
        "question": question["question"],
        "mode": "pair",
        "pairs": [[left, right, says]],
        "who": "ann",
    } | fields


def test_answers_reach_the_file_and_the_learner(page):
    for _ in range(30):
        answer_truly(page.url, "c1", TRUTH)
    wait_for(lambda: send(page.url + "api/progress")["clusters"])
    progress = send(page.url + "api/progress")
    assert progress["answers"] == len(lines_of(page)) - 1 == 30
    assert progress["minutes"] > 0
    assert 0 < progress["confirmed"] < 1
    assert sum(found["size"] for found in progress["clusters"]) == 60
    assert len(page.learner.history_) == 30
    wait_for(lambda: not page.learner.is_fit_due)
    assert adjusted_rand_score(Y, page.learner.labels_) == 1


def test_no_score_of_the_model_comes_with_a_question(page):
    for mode in ("pair", "group"):
        for _ in range(12):
            answer_truly(page.url, "c1", TRUTH, mode)
        question = ask(page, mode=mode)
        assert set(question) == {"question", "mode", "sample", "others"}
        for sample in (question["sample"], *question["others"]):
            assert set(sample) == {"id", "row", "kind", "rows"}


def test_examples_of_groups_are_not_in_order_of_likelihood(page):
    """The first one would be the answer, and people would learn it."""
    for _ in range(20):
        answer_truly(page.url, "c1", TRUTH)
    wait_for(lambda: hasattr(page.learner, "labels_"))
    places = []
    for number in range(12):
        sent = answer_truly(page.url, f"g{number}", TRUTH, "group")
        says = [said for *_, said in sent["pairs"]]
        if len(says) == 3 and 1 in says:
            places.append(says.index(1))
    assert len(set(places)) > 1


def test_the_same_request_twice_is_one_answer(page):
    sent = answer_to(ask(page))
    first, second = send(page.url + "api/answers", sent), None
    second = send(page.url + "api/answers", sent)
    assert (first["again"], second["again"]) == (False, True)
    assert first["saved"] == second["saved"] == "a1"
    assert len(lines_of(page)) == 2
    ask(page)
    assert len(page.learner.history_) == 1


def test_the_same_request_at_once_is_one_answer(page):
    sent, replies = answer_to(ask(page)), []
    threads = [
        threading.Thread(
            target=lambda: replies.append(send(page.url + "api/answers", sent))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply["again"] for reply in replies) == [False] + 7 * [True]
    assert len(lines_of(page)) == 2


def test_a_reload_shows_the_same_question_and_another_tab_another(page):
    first = ask(page)
    assert ask(page) == first
    other = ask(page, "c2")
    assert other["question"] != first["question"]
    assert {other["sample"]["id"], other["others"][0]["id"]} != {
        first["sample"]["id"],
        first["others"][0]["id"],
    }


def test_one_question_in_two_tabs_is_answered_once(page):
    question = ask(page)
    assert send(page.url + "api/answers", answer_to(question)).status == 200
    late = send(page.url + "api/answers", answer_to(question, -1, "a2"))
    assert late.status == 409
    assert "answered already, by 'ann'" in late["error"]
    assert len(lines_of(page)) == 2


def test_undo_asks_again_and_is_done_once(page):
    question = ask(page)
    send(page.url + "api/answers", answer_to(question))
    after = ask(page)
    undo = {"id": "u1", "client": "c1", "who": "ann"}
    reply = send(page.url + "api/undo", undo)
    assert reply["question"]["sample"] == question["sample"]
    assert reply["question"]["others"] == question["others"]
    assert ask(page) == reply["question"] != after
    assert send(page.url + "api/undo", undo)["again"]
    assert len(page.learner.history_) == 0
    assert [line.get("undo") for line in lines_of(page)[1:]] == [None, "a1"]
    nothing = send(page.url + "api/undo", {"id": "u2", "client": "c1", "who": "ann"})
    assert (nothing.status, nothing["error"]) == (
        400,
        "There is no answer of 'ann' to take back.",
    )


def test_undo_takes_back_ones_own_answers(page):
    send(page.url + "api/answers", answer_to(ask(page), who="ann"))
    send(page.url + "api/answers", answer_to(ask(page, "c2"), who="bob", name="a2"))
    reply = send(page.url + "api/undo", {"id": "u", "client": "c1", "who": "ann"})
    assert reply.status == 200
    assert [a.who for a in page._session.answers.answers] == ["bob"]
    ask(page)
    assert len(page.learner.history_) == 1


def test_an_earlier_answer_is_corrected(page):
    for number, says in enumerate((1, -1, 0)):
        sent = answer_to(ask(page), says, f"a{number}")
        send(page.url + "api/answers", sent)
    earlier = send(page.url + "api/earlier?who=ann")["earlier"]
    assert [found["says"] for found in earlier] == [[0], [-1], [1]]
    assert send(page.url + "api/earlier?who=bob")["earlier"] == []
    sent = answer_to(earlier[2], -1, "a9", replaces=earlier[2]["answer"])
    assert send(page.url + "api/answers", sent).status == 200
    ask(page)
    assert sorted(row["answer"] for row in page.learner.history_) == [-1, -1, 0]
    assert len(page._session.answers.answers) == 3


def test_does_not_belong(page):
    for _ in range(20):
        answer_truly(page.url, "c1", TRUTH)
    wait_for(lambda: send(page.url + "api/progress")["clusters"])
    cluster = send(page.url + "api/progress")["clusters"][0]
    found = send(f"{page.url}api/cluster?cluster={cluster['cluster']}")
    assert found["size"] == cluster["size"] == len(found["members"])
    typical, odd = found["typical"]["id"], found["members"][-1]["id"]
    assert found["members"][0]["id"] == typical
    backwards = send(f"{page.url}api/cluster?cluster={cluster['cluster']}&odd=1")
    assert backwards["members"][0]["id"] == odd
    sent = {
        "id": "x",
        "question": "x",
        "mode": "cluster",
        "pairs": [[odd, typical, -1]],
    }
    assert send(page.url + "api/answers", sent).status == 200
    ask(page)
    assert page.learner.history_[-1]["answer"] == -1
    gone = send(page.url + "api/cluster?cluster=99")
    assert gone.status == 400 and "no cluster 99" in gone["error"]


def test_contradictions_are_shown_as_chains(page):
    same = [["s0", "s1", 1], ["s1", "s2", 1], ["s0", "s2", -1]]
    for number, pair in enumerate(same):
        sent = {
            "id": f"x{number}",
            "question": f"x{number}",
            "mode": "chain",
            "pairs": [pair],
        }
        assert send(page.url + "api/answers", sent).status == 200
    assert send(page.url + "api/progress")["contradictions"] == 1
    (chain,) = send(page.url + "api/contradictions")["chains"]
    links = {(x["left"]["id"], x["right"]["id"]): x["says"] for x in chain}
    assert links == {("s0", "s1"): 1, ("s1", "s2"): 1, ("s0", "s2"): -1}
    sent = {"id": "y", "question": "y", "mode": "chain", "pairs": [["s0", "s2", 1]]}
    send(page.url + "api/answers", sent)
    sent = {"id": "z", "question": "z", "mode": "chain", "pairs": [["s0", "s2", 1]]}
    send(page.url + "api/answers", sent)
    assert send(page.url + "api/contradictions")["chains"] == []


def test_export_can_be_read_and_repeated(page, tmp_path):
    for _ in range(25):
        answer_truly(page.url, "c1", TRUTH)
    refused = send(page.url + "export/pairs.csv")
    assert refused.status == 400 and "Finish" in refused["error"]
    assert send(page.url + "api/finish", {}).status == 200
    wait_for(lambda: send(page.url + "api/progress")["exported"])
    folder = tmp_path / "answers_export"
    pairs = pd.read_csv(folder / "pairs.csv")
    known = PairwiseConstraints.from_frame(pairs, index=IDS)
    assert known.n_pairs == 25
    assert len(known.violated(Y).must_link) == 0
    clusters = pd.read_csv(folder / "clusters.csv")
    assert clusters["id"].tolist() == IDS
    assert adjusted_rand_score(Y, clusters["cluster"]) == 1
    text = send(page.url + "export/pairs.csv")["text"]
    assert text == (folder / "pairs.csv").read_bytes()
    assert send(page.url + "export/answers.jsonl").status == 400


def test_after_a_stop_it_goes_on(tmp_path):
    path = tmp_path / "answers.jsonl"
    with page_of(X, IDS, path) as page:
        wait_for(lambda: send(page.url + "api/progress")["is_ready"])
        for _ in range(15):
            answer_truly(page.url, "c1", TRUTH)
        last = answer_to(ask(page), 1, "late")
        before = page.learner.constraints_
    with page_of(X, IDS, path) as page:
        wait_for(lambda: send(page.url + "api/progress")["is_ready"])
        assert len(page.learner.history_) == 15
        assert page.learner.constraints_ == before
        # a tab that was open all the time
        assert send(page.url + "api/answers", last).status == 200
        assert len(lines_of(page)) == 17


def test_a_failing_fit_is_said_and_answers_go_on(tmp_path):
    from sklearn.base import BaseEstimator, ClusterMixin

    from skpairclust.active import ActivePairLearner

    class Failing(ClusterMixin, BaseEstimator):
        def fit(self, X, y=None):
            raise MemoryError("no room for the distances")

    failing = ActivePairLearner(Failing(), refit_every=5, random_state=0)
    with page_of(X, IDS, tmp_path / "a.jsonl", learner=failing) as page:
        wait_for(lambda: send(page.url + "api/progress")["is_ready"])
        for _ in range(8):
            answer_truly(page.url, "c1", TRUTH)
        wait_for(lambda: send(page.url + "api/progress")["failure"])
        failure = send(page.url + "api/progress")["failure"]
        assert "cannot be computed: MemoryError: no room" in failure
        answer_truly(page.url, "c1", TRUTH)
        with pytest.raises(LabelError, match="no room for the distances"):
            page.finish()
        assert len(lines_of(page)) == 10


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"pairs": [["s0", "nobody", 1]]}, "There is no sample 'nobody'"),
        ({"pairs": [["s0", ["s1"], 1]]}, "two ids"),
        ({"pairs": [["s0", "s1", 7]]}, "1 for same"),
        ({"pairs": None}, "list of 1 to 50"),
        ({"id": "a b"}, "letters, digits"),
        ({"id": None}, "letters, digits"),
        ({"who": " "}, "must be a name"),
        ({"mode": "guess"}, "must be one of"),
        ({"replaces": "never"}, "was never saved"),
    ],
)
def test_senseless_answers_are_refused(page, change, match):
    reply = send(page.url + "api/answers", answer_to(ask(page)) | change)
    assert reply.status == 400
    assert match in reply["error"]
    assert len(lines_of(page)) == 1


def test_requests_that_are_no_answers(page):
    url = page.url + "api/answers"
    plain = send(url, {}, {"content-type": "text/plain"})
    assert (plain.status, "application/json" in plain["error"]) == (400, True)
    assert send(url, [1]).status == 400
    assert send(url, {"id": "x" * 100_000})["error"].startswith("The request is longer")
    assert send(page.url + "api/question?client=../x&mode=pair").status == 400
    assert send(page.url + "api/question?client=c&mode=x").status == 400
    assert send(page.url + "api/cluster?cluster=x").status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "attacker.example"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_no_other_page_may_read_or_answer(page, headers, status):
    for path in ("", "api/progress", "style.css"):
        assert send(page.url + path, headers=headers).status == status
    reply = send(page.url + "api/answers", answer_to(ask(page)), headers)
    assert reply.status == status
    assert len(lines_of(page)) == 1 + (status == 200)


def test_own_origin_may(page):
    base = page.url.rsplit("/", 2)[0]
    assert send(page.url + "api/progress", headers={"Origin": base}).status == 200


@pytest.mark.parametrize(
    "path",
    ["", "/", "/wrong/", "/wrong/api/progress", "/%2e%2e/", "//", "/api/progress"],
)
def test_without_the_token_nothing_is_told(page, path):
    base = page.url.rsplit("/", 2)[0]
    reply = send(base + path)
    assert reply.status == 403
    assert set(reply) == {"error"}
    assert "open the address that the terminal shows" in reply["error"]


@pytest.mark.parametrize(
    "path",
    ["..", "%2e%2e/%2e%2e/_server.py", "static/app.js", "_server.py", "app.js%00.html"],
)
def test_only_the_files_of_the_page_are_sent(page, path):
    assert send(page.url + path).status in (403, 404)


def test_each_start_has_its_own_token(tmp_path):
    with page_of(X, IDS, tmp_path / "a.jsonl") as first:
        with page_of(X, IDS, tmp_path / "b.jsonl") as second:
            tokens = {page.url.split("/")[3] for page in (first, second)}
    assert len(tokens) == 2 and all(len(token) >= 32 for token in tokens)


def test_ids_may_be_numbers(tmp_path):
    with page_of(X, np.arange(100, 160), tmp_path / "a.jsonl") as page:
        wait_for(lambda: send(page.url + "api/progress")["is_ready"])
        sent = answer_to(ask(page))
        assert type(sent["pairs"][0][0]) is int
        assert send(page.url + "api/answers", sent).status == 200
    with pytest.raises(LabelError, match="holds answers about other data"):
        page_of(X, np.arange(60), tmp_path / "a.jsonl")


def test_questions_of_closed_pages_come_again(page, monkeypatch):
    from skpairclust.label import _questions

    first = ask(page, "gone")
    monkeypatch.setattr(_questions, "_GONE", -1)
    second = ask(page, "here")
    assert second["sample"] == first["sample"]
    assert second["others"] == first["others"]


def test_a_doubtful_answer_is_not_asked_again_at_once(page):
    """A model is surprised, and the person still remembers the pair."""
    recent = []
    for number in range(40):
        question = ask(page)
        pair = frozenset((question["sample"]["id"], question["others"][0]["id"]))
        assert pair not in recent[-10:]
        recent.append(pair)
        truth = len({TRUTH[name] for name in pair}) == 1
        # every fourth answer is wrong
        says = 1 if truth != (number % 4 == 3) else -1
        send(page.url + "api/answers", answer_to(question, says, f"a{number}"))
        if number % 10 == 9:
            wait_for(lambda: not page.learner.is_fit_due)
    # some of them were doubtful
    assert any(row["is_repeat"] for row in page.learner.history_)


def test_the_next_question_comes_with_the_reply(page):
    """If it has been found while the person looked at this one."""
    came = []
    for number in range(12):
        question = ask(page)
        wait_for(lambda: page._session.engine._ahead is not None)
        wanted = {"client": "c1", "mode": "pair"}
        sent = answer_to(question, -1, f"a{number}", next=wanted)
        reply = send(page.url + "api/answers", sent)
        if "next" in reply:
            came.append(reply["next"])
            assert ask(page) == reply["next"] != question
        # sent again, there is nothing new
        assert send(page.url + "api/answers", sent)["again"]
    assert came
    assert len(page.learner.history_) == 12
    # what is saved is never reported as an error
    strange = answer_to(ask(page), 1, "b", next={"client": "../x", "mode": "pair"})
    wait_for(lambda: page._session.engine._ahead is not None)
    assert send(page.url + "api/answers", strange)["saved"] == "b"
