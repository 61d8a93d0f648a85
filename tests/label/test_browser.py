"""The page in a real browser: keys, mouse, small screens, themes, accessibility."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from skpairclust.label._command import make_parser, read_source
from skpairclust.label._label_pairs import default_learner, open_page
from skpairclust.label._page import TOKEN_VARIABLE
from skpairclust.label._sources import ArraySource
from tests.label.browser import REQUIRED, find_browser, opened_browser
from tests.label.serving import blobs, free_port, learner, page_of, send, wait_for

X, Y, IDS = blobs()
TRUTH = dict(zip(IDS, Y.tolist(), strict=True))
TEXTS = [f"A text about topic {kind}, number {n}." for n, kind in enumerate(Y)]
THEMES = ("light", "dark")
STATIC = Path(__file__).parents[2] / "skpairclust" / "label" / "static"
SHOTS = os.environ.get("SKPAIRCLUST_SCREENSHOTS")


@pytest.fixture(scope="module")
def browser():
    path = find_browser()
    if path is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, but there is no browser: `make browser`")
        pytest.skip("no Chromium for Playwright here: `make browser` installs one")
    with opened_browser(path) as found:
        yield found


class Person:
    """Somebody who looks at the page and knows the true classes."""

    def __init__(self, browser, url, truth, **options):
        self.truth, self.problems = truth, []
        options = {"viewport": {"width": 1280, "height": 900}} | options
        self.context = browser.new_context(**options)
        self.tab = self.context.new_page()
        # Of a machine that does other work as well; it only ends a test that hangs.
        self.tab.set_default_timeout(120_000)
        self.tab.on("pageerror", lambda error: self.problems.append(str(error)))
        self.tab.on("console", self._listen)
        self.requests = []
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(url)
        self.wait()

    def _listen(self, message):
        # a reply that refuses an answer is written there as well
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def wait(self):
        """Wait for a question."""
        self.tab.wait_for_selector("#choices button")
        self.tab.wait_for_function("() => !document.querySelector('#samples.waiting')")

    def names(self):
        """Return the ids on the screen."""
        captions = self.tab.locator("#samples figcaption").all_inner_texts()
        return captions or self.tab.locator("#samples thead th").all_inner_texts()[1:]

    def press(self, key):
        """Press a key and wait until the reply is there."""
        self.tab.keyboard.press(key)
        self.wait()

    def answer(self):
        """Answer the question about a pair by a key."""
        left, right = self.names()
        before = self.tab.get_attribute("#samples", "data-question")
        is_same = self.truth[left] == self.truth[right]
        self.tab.keyboard.press("s" if is_same else "d")
        self.tab.wait_for_function(
            "old => { const p = document.querySelector('#samples');"
            "return !p.classList.contains('waiting') && p.dataset.question !== old; }",
            arg=before,
        )

    def intercept(self, handle):
        """Let `handle` decide what becomes of the answers that are sent."""
        self.tab.route("**/api/answers", handle)
        # a page that is already there may send its next request past the route
        self.tab.reload()
        self.wait()

    def said(self):
        return self.tab.locator("#samples").inner_text()

    def close(self):
        self.context.close()
        assert self.problems == []


@pytest.fixture
def page(tmp_path):
    with page_of(X, IDS, tmp_path / "a.jsonl", lambda row: TEXTS[row]) as found:
        yield found


@pytest.fixture
def person(browser, page):
    found = Person(browser, page.url, TRUTH)
    yield found
    found.close()


def saved(page):
    return page._session.answers.answers


def test_one_hundred_questions_by_keyboard(browser, tmp_path):
    """From the true labels; scored on the rows that were never shown."""
    y = load_digits().target
    truth = {f"digit-{number:04d}": kind for number, kind in enumerate(y.tolist())}
    source = read_source(make_parser().parse_args(["digits"]))
    with open_page(source, default_learner(10), tmp_path / "a.jsonl", port=0) as page:
        person = Person(browser, page.url, truth)
        shown = set()
        for number in range(100):
            shown |= set(person.names())
            person.answer()
            if number % 20 == 19:
                # a person is slower than this loop, so that fits come in between
                wait_for(lambda: not page.learner.is_fit_due)
        person.close()
        page.finish()
        assert len(saved(page)) == 100
        labels = page.learner.labels_
    is_new = np.array([name not in shown for name in source.ids])
    assert is_new.sum() > 1600
    assert adjusted_rand_score(y[is_new], labels[is_new]) >= 0.88


def test_answers_by_keys(person, page):
    for key, says in (("s", 1), ("d", -1), ("c", 0)):
        before = person.said()
        person.press(key)
        assert person.said() != before
        assert saved(page)[-1].pairs[0][2] == says
    assert person.tab.inner_text("#said") == "Saved: cannot tell."


def test_undo_and_back(person, page):
    first = person.said()
    person.press("s")
    second = person.said()
    person.press("u")
    assert person.said() == first and saved(page) == []
    for count, key in enumerate("ds", 1):
        person.press(key)
        # On a busy machine the reply comes after a while.
        wait_for(lambda count=count: len(saved(page)) == count)
        person.wait()
    earlier = person.tab.locator("#earlier")
    for number in (1, 2):
        person.press("b")
        earlier.get_by_text(f"Earlier answer {number} of 2").wait_for()
        person.wait()
    assert person.said() == first
    assert "Earlier answer 2 of 2. You said: different." in person.tab.inner_text(
        "#earlier"
    )
    person.press("f")
    assert "Earlier answer 1 of 2. You said: same." in person.tab.inner_text("#earlier")
    person.press("b")
    person.press("c")
    assert not person.tab.is_visible("#earlier")
    assert sorted(a.pairs[0][2] for a in saved(page)) == [0, 1]
    assert saved(page)[-1].replaces is not None
    assert second


def test_mouse_and_touch(browser, page):
    person = Person(
        browser, page.url, TRUTH, has_touch=True, viewport={"width": 390, "height": 844}
    )
    person.tab.tap("#choices .same")
    person.wait()
    person.tab.click("#choices .different")
    person.wait()
    assert [a.pairs[0][2] for a in saved(page)] == [1, -1]
    boxes = [b.bounding_box() for b in person.tab.locator("#choices button").all()]
    assert all(box["height"] >= 44 and box["x"] >= 0 for box in boxes)
    assert all(box["x"] + box["width"] <= 390 for box in boxes)
    person.close()


def test_a_double_click_is_one_answer(person, page):
    person.tab.dblclick("#choices .same")
    person.wait()
    person.tab.wait_for_function(
        "() => document.querySelector('#answers').textContent > 0"
    )
    # the second click may meet the next question, but never the same one again
    questions = [a.question for a in saved(page)]
    assert len(questions) == len(set(questions)) <= 2


def test_keyboard_alone_reaches_everything(person, page):
    person.tab.keyboard.press("Tab")
    reached = set()
    for _ in range(30):
        reached.add(person.tab.evaluate("document.activeElement.innerText"))
        person.tab.keyboard.press("Tab")
    words = " ".join(filter(None, reached))
    for word in ("Same", "Different", "Cannot tell", "Undo", "Finish", "Settings"):
        assert word in words
    person.tab.focus("#choices .different")
    person.tab.keyboard.press("Enter")
    person.wait()
    assert [a.pairs[0][2] for a in saved(page)] == [-1]
    # the focus stays where it was
    assert "Different" in person.tab.evaluate("document.activeElement.innerText")


def test_what_a_screen_reader_says(person):
    """Names without the letters of the keys; new samples are read out."""
    for name in ("Same", "Different", "Cannot tell", "Undo", "Back", "Groups", "Help"):
        button = person.tab.get_by_role("button", name=name, exact=True)
        assert button.get_attribute("aria-keyshortcuts") == button.inner_text()[-1]
    assert person.tab.get_attribute("#samples", "aria-live") == "polite"
    left, right = person.names()
    for side, name in (("Left", left), ("Right", right)):
        text = person.tab.get_by_role("group", name=f"{side} sample, {name}")
        assert text.inner_text() == TEXTS[IDS.index(name)]


def test_groups_by_number_keys(person, page):
    for _ in range(20):
        person.answer()
    person.press("m")
    assert "Which of these" in person.tab.inner_text("#ask")
    n_groups = person.tab.locator("#samples .choose").count()
    assert n_groups >= 2
    person.press("2")
    answer = saved(page)[-1]
    assert answer.mode == "group"
    assert [said for *_, said in answer.pairs][:2] == [-1, 1]
    person.press("0")
    assert {said for *_, said in saved(page)[-1].pairs} == {-1}
    person.press("c")
    assert {said for *_, said in saved(page)[-1].pairs} == {0}
    person.press("9" if n_groups < 9 else "m")
    person.press("m")
    assert "Do these two" in person.tab.inner_text("#ask")


def test_cluster_window(person, page):
    for _ in range(20):
        person.answer()
    person.tab.wait_for_selector("#strip button")
    person.tab.click("#strip button")
    person.tab.wait_for_selector("#window .members")
    odd = person.tab.locator("#window .members li").nth(3)
    odd.locator("button").click()
    odd.get_by_text("Saved: different").wait_for()
    assert saved(page)[-1].mode == "cluster"
    # keys of the question do nothing behind a window
    n_answers = len(saved(page))
    person.tab.keyboard.press("s")
    person.tab.keyboard.press("Escape")
    assert not person.tab.is_visible("#window")
    assert len(saved(page)) == n_answers


def contradict(page):
    """Say that a is b and b is c, but a is not c."""
    for number, (i, j, says) in enumerate([(0, 1, 1), (1, 2, 1), (0, 2, -1)]):
        send(
            page.url + "api/answers",
            {
                "id": f"x{number}",
                "question": f"x{number}",
                "mode": "chain",
                "pairs": [[IDS[i], IDS[j], says]],
            },
        )


def test_contradictions_and_their_end(person, page):
    contradict(page)
    person.press("c")
    person.tab.wait_for_selector("#contradictions:visible")
    person.tab.click("#contradictions")
    person.tab.wait_for_selector(".chain .link")
    assert person.tab.locator(".chain .link").count() == 3
    assert "left out" in person.tab.inner_text(".chain")
    link = person.tab.locator(".link", has_text=IDS[2]).filter(has_text=IDS[0]).first
    link.get_by_role("button", name="Same").click()
    wait_for(lambda: saved(page)[-1].mode == "chain")


def test_finish_gives_files(person, page):
    for _ in range(12):
        person.answer()
    person.tab.click("#finish")
    person.tab.get_by_role("button", name="Fit and write the files").click()
    person.tab.wait_for_selector(".files a")
    with person.tab.expect_download() as download:
        person.tab.get_by_role("link", name="pairs.csv").click()
    text = Path(download.value.path()).read_text()
    assert text.startswith("left,right,same\n") and len(text.splitlines()) == 13


def test_settings_name_the_person(person, page):
    person.tab.click("#settings")
    person.tab.fill("#who", "Zoë <b>")
    person.tab.get_by_role("button", name="Save settings").click()
    person.press("s")
    person.tab.reload()
    person.wait()
    person.press("d")
    assert [a.who for a in saved(page)] == ["Zoë <b>"] * 2


def test_a_reload_keeps_the_question(person):
    before = person.said()
    person.tab.reload()
    person.wait()
    assert person.said() == before


def test_two_tabs_have_two_questions(person, page):
    other = person.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#choices button")
    assert other.locator("#samples").inner_text() != person.said()


def test_a_lost_connection_loses_nothing(person, page):
    """The reply gets lost, the page sends again, the answer is there once."""
    sent, noticed = [], []

    def lose(route):
        sent.append(route.request.post_data)
        if noticed:
            route.continue_()
        else:
            # it reaches the program, its reply does not reach the page
            send(page.url + "api/answers", json.loads(route.request.post_data))
            route.abort()

    person.intercept(lose)
    person.tab.keyboard.press("s")
    person.tab.wait_for_function(
        "() => document.querySelector('#alert').textContent.includes('Not saved yet')"
    )
    # only now: how long a busy machine takes to look at the page is not known
    noticed.append(True)
    person.tab.wait_for_function("() => !document.querySelector('#samples.waiting')")
    assert len(saved(page)) == 1
    assert len(sent) >= 2 and len(set(sent)) == 1
    assert person.tab.inner_text("#alert") == ""


def test_an_answer_survives_a_reload_before_it_was_saved(person, page):
    person.intercept(lambda route: route.abort())
    person.tab.keyboard.press("d")
    person.tab.wait_for_function(
        "() => document.querySelector('#alert').textContent.includes('Not saved yet')"
    )
    assert saved(page) == []
    person.tab.unroute("**/api/answers")
    person.tab.reload()
    person.wait()
    assert [a.pairs[0][2] for a in saved(page)] == [-1]


def test_a_program_that_stops_and_starts_again(browser, tmp_path, monkeypatch):
    """The page says so, keeps the answer, and goes on by itself."""
    monkeypatch.setenv(TOKEN_VARIABLE, "the-same-for-both-starts")
    port = free_port()

    def start():
        source = ArraySource(X, IDS, lambda row: TEXTS[row], "blobs")
        return open_page(source, learner(), tmp_path / "a", who="ann", port=port)

    with start() as page:
        person = Person(browser, page.url, TRUTH)
        person.answer()
    person.tab.keyboard.press("b")
    person.tab.get_by_text("The program does not reply").wait_for()
    person.tab.keyboard.press("s")
    person.tab.get_by_text("Not saved yet").wait_for()
    with start() as page:
        person.wait()
        assert person.tab.inner_text("#alert") == ""
        assert len(saved(page)) == 2
        person.answer()
        assert len(saved(page)) == 3
        person.close()


def test_what_cannot_be_saved_is_said(person, page):
    path = page._session.answers.path
    moved = path.rename(path.with_name("moved.jsonl"))
    before = person.said()
    person.press("s")
    assert "Not saved: the file has been moved" in person.tab.inner_text("#alert")
    assert person.said() == before
    moved.rename(path)


def test_texts_are_not_markup(browser, tmp_path):
    evil = "<img src=x onerror=\"document.title='owned'\"><script>1</script>"
    with page_of(X, IDS, tmp_path / "a.jsonl", lambda row: f"{evil} {row}") as page:
        person = Person(browser, page.url, TRUTH)
        assert evil in person.said()
        assert person.tab.title() != "owned"
        person.close()


def test_differences_of_rows_are_marked(browser, tmp_path):
    def render(row):
        return {"kind": "fruit", "size": row, "note": None}

    with page_of(X, IDS, tmp_path / "a.jsonl", render) as page:
        person = Person(browser, page.url, TRUTH)
        marked = person.tab.locator("td.differs").all_inner_texts()
        assert len(marked) == 2
        # not by color alone
        before = "getComputedStyle(document.querySelector('td.differs'), '::before')"
        assert "≠" in person.tab.evaluate(f"{before}.content")
        assert person.tab.locator("td").count() == 6
        person.answer()
        person.close()


def test_nothing_is_asked_from_elsewhere(person, page):
    base = page.url.rstrip("/")
    assert [url for url in person.requests if not url.startswith(base)] == []


def test_the_page_is_light():
    assert sum(file.stat().st_size for file in STATIC.iterdir()) < 200_000
    text = "".join(file.read_text() for file in STATIC.iterdir())
    urls = set(re.findall(r"https?://[^\"' )]+", text))
    assert urls <= {"http://www.w3.org/2000/svg"}


def test_a_wrong_address_is_a_sentence(person, page):
    """For whoever opens it, and not an object of JSON."""
    token = page.url.split("/")[3]
    person.tab.goto(page.url.replace(token, "an-old-one"))
    text = person.tab.inner_text("body")
    assert text.startswith("The address lacks the right token.")


def test_long_texts_are_read_by_keyboard(browser, tmp_path):
    """Beside a group as well, where a box of its own scrolls."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with page_of(X, IDS, tmp_path / "a.jsonl", lambda row: TEXTS[row] * 60) as page:
        person = Person(browser, page.url, TRUTH)
        for _ in range(20):
            person.answer()
        person.tab.wait_for_selector("#strip button")
        look(person, axe, "long-pair")
        person.tab.focus("#samples .text")
        person.tab.keyboard.press("End")
        person.tab.wait_for_function(
            "() => document.querySelector('#samples .text').scrollTop > 0"
        )
        assert len(saved(page)) == 20
        person.press("m")
        look(person, axe, "long-group")
        # the answers stay on the screen
        assert person.tab.locator("#choices button").first.is_visible()
        box = person.tab.locator("#choices").bounding_box()
        assert box["y"] + box["height"] <= 900
        person.tab.locator("#samples .candidate .text").first.click()
        person.wait()
        assert saved(page)[-1].pairs[0][2] == 1
        person.tab.click("#strip button")
        person.tab.wait_for_selector("#window .members")
        look(person, axe, "long-cluster")
        person.close()


def test_rows_with_long_names_on_a_phone(browser, tmp_path):
    """Both values are on the screen, in the table and in a contradiction."""

    def render(row):
        return {"a_name_of_a_column_that_goes_on_and_on_without_a_blank": row, "b": 1}

    with page_of(X, IDS, tmp_path / "a.jsonl", render) as page:
        viewport = {"width": 390, "height": 844}
        person = Person(browser, page.url, TRUTH, viewport=viewport)
        cells = person.tab.locator("#samples td").all()
        boxes = [cell.bounding_box() for cell in cells]
        assert all(box["x"] + box["width"] <= 390 for box in boxes)
        assert all(box["width"] >= 80 for box in boxes)
        contradict(page)
        person.press("c")
        person.tab.click("#contradictions")
        person.tab.wait_for_selector(".chain .link")
        figures = person.tab.locator(".link figure").all()
        assert all(figure.bounding_box()["width"] >= 120 for figure in figures)
        person.close()


def test_help_names_keys_on_a_touch_screen(browser, page):
    person = Person(
        browser, page.url, TRUTH, has_touch=True, viewport={"width": 390, "height": 844}
    )
    person.tab.tap("#help")
    keys = person.tab.locator("#window kbd").all_inner_texts()
    assert {"S", "D", "C", "U", "B", "M", "0"} <= {key for key in keys if key}
    assert "Guesses right" in person.tab.inner_text("#window")
    person.close()


SCREENS = [
    *(("image", width, scheme) for width in (390, 1280, 1920) for scheme in THEMES),
    *(("text", 390, "light"), ("text", 1920, "dark")),
    *(("table", 390, "dark"), ("table", 1280, "light")),
]


@pytest.mark.parametrize(("kind", "width", "scheme"), SCREENS)
def test_every_screen(browser, tmp_path, kind, width, scheme):
    """Nothing leaves the screen, and axe finds no serious violation."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    images = load_digits().images

    def render(row):
        if kind == "text":
            return TEXTS[row]
        if kind == "table":
            return {"name": IDS[row], "a": X[row, 0], "b": X[row, 1], "note": None}
        return (255 - images[row] * 255 / 16).astype(np.uint8)

    with page_of(X, IDS, tmp_path / "a.jsonl", render) as page:
        person = Person(
            browser,
            page.url,
            TRUTH,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
        )
        for _ in range(20):
            person.answer()
        person.tab.wait_for_selector("#strip button")
        look(person, axe, f"{kind}-pair-{width}-{scheme}")
        person.press("m")
        look(person, axe, f"{kind}-group-{width}-{scheme}")
        person.tab.click("#strip button")
        person.tab.wait_for_selector("#window .members")
        look(person, axe, f"{kind}-cluster-{width}-{scheme}")
        person.close()


def look(person, axe, name):
    """Check one screen, and keep its picture if somebody wants to see it."""
    person.tab.wait_for_load_state("networkidle")
    person.tab.wait_for_function(
        "() => [...document.querySelectorAll('#samples img')].every(i => i.complete)"
    )
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        person.tab.screenshot(path=f"{SHOTS}/{name}.png")
    too_wide = person.tab.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert too_wide <= 0
    found = axe.run(person.tab).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"]) for v in serious] == []
