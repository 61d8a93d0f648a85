"""The page of points: one file that is safe, complete and works in a browser."""

import json
import os
import re

import numpy as np
import pytest

from skpairclust import PairwiseConstraints
from skpairclust.inspection import ClusterEmbeddingDisplay
from tests.label.browser import REQUIRED, find_browser, opened_browser

rng = np.random.RandomState(0)
LABELS = np.repeat(["cats", "dogs", "</script>"], 20)
POINTS = rng.randn(60, 2) + np.repeat([[0, 0], [9, 0], [0, 9]], 20, axis=0)
PAIRS = PairwiseConstraints([(0, 1), (0, 25)], [(2, 30), (3, 4)], n_samples=60)
NAMES = [f"<b>photo {number}</b>" for number in range(60)]


@pytest.fixture
def display():
    pytest.importorskip("matplotlib").use("Agg")
    return ClusterEmbeddingDisplay.from_predictions(POINTS, LABELS, PAIRS)


@pytest.fixture
def path(display, tmp_path):
    path = tmp_path / "clusters.html"
    assert display.save_html(path, names=NAMES, title="Cats & <dogs>") is display
    return path


def read(path):
    text = path.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script id="data".*?>(.*?)</script>', text, re.S)
    return json.loads(data), text


def test_the_page_holds_what_is_drawn(path):
    data, text = read(path)
    assert [data["clusters"][n] for n in data["numbers"]] == LABELS.tolist()
    assert data["names"] == NAMES
    assert sorted(data["pairs"]) == [[0, 1, 1], [0, 25, 1], [2, 30, 0], [3, 4, 0]]
    places = np.array(data["points"], dtype=float)
    # Moved and scaled, but by one factor for both axes.
    ratios = np.ptp(places, axis=0) / np.ptp(POINTS, axis=0)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-3)
    correlations = [np.corrcoef(places[:, i], POINTS[:, i])[0, 1] for i in range(2)]
    np.testing.assert_allclose(correlations, 1, atol=1e-6)


def test_names_cannot_become_code(path):
    _, text = read(path)
    assert "Cats &amp; &lt;dogs&gt;" in text
    assert "<b>" not in text and text.count("</script>") == 2


def test_the_page_needs_no_network(path):
    assert not re.findall(r"(?:src|href)=|https?://|import\s", read(path)[1])


def test_wrong_names(display, tmp_path):
    with pytest.raises(ValueError, match="names has 3 entries.* 60 samples"):
        display.save_html(tmp_path / "clusters.html", names="abc")
    assert not list(tmp_path.iterdir())


def test_one_point_and_no_pairs(tmp_path):
    display = ClusterEmbeddingDisplay(np.zeros((1, 2)), np.array([0]))
    display.save_html(tmp_path / "one.html")
    data, _ = read(tmp_path / "one.html")
    assert data["points"] == [[0, 0]] and data["pairs"] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser(path, width):
    browser_path = find_browser()
    if browser_path is None and not os.environ.get(REQUIRED):
        pytest.skip("there is no browser")
    with opened_browser(browser_path) as browser:
        page = browser.new_page(viewport={"width": width, "height": 800})
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # Every point is found where it is drawn.
        for number in (0, 25, 59):
            x, y = page.evaluate(
                f"""() => {{
                    const box = canvas.getBoundingClientRect();
                    const at = place(data.points[{number}]);
                    const ratio = canvas.width / box.width;
                    return [box.left + at[0] / ratio, box.top + at[1] / ratio];
                }}"""
            )
            page.mouse.move(x, y)
            assert f"{NAMES[number]}: sample {number}," in page.inner_text("#told")
        page.get_by_label("cats (20)").uncheck()
        assert page.evaluate("isShown(0)") is False
        page.locator("canvas").focus()
        before = page.evaluate("view.zoom")
        page.keyboard.press("+")
        assert page.evaluate("view.zoom") > before
        page.get_by_text("Show all").click()
        assert page.evaluate("view.zoom") == before
        assert not errors
