"""The displays: what is drawn, where, and from what."""

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import sklearn
from matplotlib.colors import to_hex, to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skpairclust
from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.baselines import PCKMeans
from skpairclust.inspection import (
    ClusterEmbeddingDisplay,
    ConstraintCurveDisplay,
    ContingencyDisplay,
    LossCurveDisplay,
    RetrievalDisplay,
    _style,
)
from skpairclust.inspection._style import NEUTRAL, RIGHT, WRONG
from skpairclust.model_selection import (
    ConstraintKFold,
    PairClassifier,
    cross_validate_constraints,
)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# The space of the clusters

POINTS = np.array([[0.0, 0.0], [0.0, 2.0], [5.0, 0.0], [5.0, 1.0]])
LABELS = np.array([0, 0, 1, 1])
PAIRS = PairwiseConstraints([(0, 1), (1, 2)], [(0, 3), (2, 3)], n_samples=4)


def test_pairs_are_drawn_between_their_samples():
    display = ClusterEmbeddingDisplay.from_predictions(POINTS, LABELS, PAIRS)
    ends = {name: lines.get_segments() for name, lines in display.lines_.items()}
    expected = {
        "must_link": (0, 1),
        "violated_must_link": (1, 2),
        "cannot_link": (0, 3),
        "violated_cannot_link": (2, 3),
    }
    assert set(ends) == set(expected)
    for name, pair in expected.items():
        assert_array_equal(np.squeeze(ends[name]), POINTS[list(pair)])
    middles = display.crosses_.get_offsets()
    assert_array_equal(middles, [POINTS[[1, 2]].mean(0), POINTS[[2, 3]].mean(0)])
    assert legend_of(display.ax_)[:4] == [
        "must-link",
        "violated must-link",
        "cannot-link",
        "violated cannot-link",
    ]
    # told apart without color, too
    styles = {n: lines.get_linestyle()[0] for n, lines in display.lines_.items()}
    assert styles["must_link"] != styles["cannot_link"]
    for lines in display.lines_.values():
        assert lines.axes is display.ax_


def test_each_cluster_has_its_look():
    labels = np.arange(25)
    points = np.column_stack((labels, labels % 3)).astype(float)
    display = ClusterEmbeddingDisplay.from_predictions(points, labels)
    looks = {
        (to_hex(s.get_facecolor()[0]), s.get_paths()[0].vertices.tobytes())
        for s in display.scatters_
    }
    assert len(looks) == 25
    assert_array_equal(display.scatters_[7].get_offsets(), points[[7]])
    assert not display.lines_ and display.crosses_ is None


@pytest.mark.parametrize("form", ["pairs", "labels", "closure"])
def test_many_pairs_are_drawn_in_part(digits, form):
    X, y = digits
    known = {
        "pairs": PairwiseConstraints.sample_from_labels(y, 900, random_state=0),
        "labels": y,
        "closure": PairwiseConstraints.from_labels(y),
    }[form]
    display = ClusterEmbeddingDisplay.from_predictions(X[:, 20:22], y, known)
    counts = {name: len(c.get_segments()) for name, c in display.lines_.items()}
    # a tenth of the pairs are must-links; all agree with the classes
    assert set(counts) == {"must_link", "cannot_link"}
    assert 200 <= sum(counts.values()) <= 202
    assert 10 <= counts["must_link"] <= 30
    again = ClusterEmbeddingDisplay.from_predictions(X[:, 20:22], y, known)
    for name, lines in display.lines_.items():
        assert_array_equal(lines.get_segments(), again.lines_[name].get_segments())
    assert not display.plot(max_pairs=0).lines_


def test_features_of_the_estimator_are_drawn(iris):
    X, _ = iris
    pipeline = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0))
    pipeline.fit(X)
    display = ClusterEmbeddingDisplay.from_estimator(pipeline, X, method="pca")
    expected = PCA(2).fit_transform(pipeline.transform(X))
    assert_allclose(np.abs(display.points), np.abs(expected), atol=1e-8)
    assert_array_equal(display.labels, pipeline.predict(X))


def test_neighbors_stay_neighbors_in_tsne(iris):
    X, y = iris
    first, second = (
        ClusterEmbeddingDisplay.from_predictions(X, y, random_state=0).points
        for _ in range(2)
    )
    assert_array_equal(first, second)
    centers = np.array([first[y == c].mean(axis=0) for c in range(3)])
    nearest = ((first[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert np.mean(nearest == y) > 0.8


def test_clusterers_without_predict_or_features(iris):
    X, _ = iris
    model = DBSCAN(eps=0.8).fit(X)
    display = ClusterEmbeddingDisplay.from_estimator(model, X, method="pca")
    assert_array_equal(display.labels, model.labels_)
    with pytest.raises(ValueError, match="fitted to 150 samples, but X has 10"):
        ClusterEmbeddingDisplay.from_estimator(model, X[:10])
    with pytest.raises(TypeError, match="PCA has neither predict nor labels_"):
        ClusterEmbeddingDisplay.from_estimator(PCA().fit(X), X)


@pytest.mark.parametrize("n_features", [1, 3])
def test_few_samples_and_features(n_features):
    X = np.arange(4.0)[:, None] ** np.arange(1, n_features + 1)
    for method in ("tsne", "pca"):
        display = ClusterEmbeddingDisplay.from_predictions(X, LABELS, method=method)
        assert display.points.shape == (4, 2) and np.isfinite(display.points).all()


def test_wrong_arguments_of_the_embedding():
    with pytest.raises(ValueError, match="method must be 'tsne' or 'pca'"):
        ClusterEmbeddingDisplay.from_predictions(POINTS, LABELS, method="umap")
    with pytest.raises(ValueError, match="inconsistent"):
        ClusterEmbeddingDisplay.from_predictions(POINTS, LABELS[:3])
    with pytest.raises(ValueError, match="samples"):
        ClusterEmbeddingDisplay.from_predictions(POINTS[:3], LABELS[:3], PAIRS)


# Clusters against classes


def test_contingency_puts_matches_on_the_diagonal():
    true = np.repeat(["a", "b", "c"], [4, 3, 2])
    predicted = np.array([2, 2, 2, 7, 0, 0, 2, 1, 1])
    display = ContingencyDisplay.from_predictions(true, predicted)
    assert_array_equal(display.table, [[3, 0, 0, 1], [1, 2, 0, 0], [0, 0, 2, 0]])
    assert_array_equal(display.clusters, [2, 0, 1, 7])
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["2", "0", "1", "7"]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["a", "b", "c"]
    plain = ContingencyDisplay.from_predictions(true, predicted, order=False)
    assert_array_equal(plain.clusters, [0, 1, 2, 7])
    assert_array_equal(plain.table[:, [2, 0, 1, 3]], display.table)


def test_empty_cells_are_blank():
    display = ContingencyDisplay.from_predictions([0, 0, 1], [0, 0, 1])
    assert_array_equal(display.im_.get_array().mask, [[False, True], [True, False]])
    assert [[t and t.get_text() for t in row] for row in display.text_] == [
        ["2", None],
        [None, "1"],
    ]
    # 2 is on the lightest color and 1 on a darker one
    assert display.text_[0, 0].get_color() == "black"


@pytest.mark.parametrize(("normalize", "axis"), [("true", 1), ("pred", 0)])
def test_shares_add_up(iris, normalize, axis):
    X, y = iris
    model = KMeans(5, n_init=1, random_state=0).fit(X)
    display = ContingencyDisplay.from_estimator(model, X, y, normalize=normalize)
    assert_allclose(display.table.sum(axis=axis), 1)
    texts = [t.get_text() for t in display.text_.ravel() if t]
    assert all(text == "1.00" or text.startswith(".") for text in texts)


def test_large_tables_have_no_numbers():
    labels = np.arange(40)
    display = ContingencyDisplay.from_predictions(labels, labels)
    assert not display.text_.any()
    assert display.plot(text=True).text_.diagonal().all()


def test_wrong_arguments_of_the_contingency():
    with pytest.raises(ValueError, match="normalize must be"):
        ContingencyDisplay.from_predictions([0], [0], normalize="all")
    with pytest.raises(ValueError, match="labels_true is empty"):
        ContingencyDisplay.from_predictions([], [])


# Retrieval


@pytest.fixture(scope="module")
def images():
    X, y = load_digits(return_X_y=True)
    return X[:200], y[:200]


def test_neighbors_are_the_nearest_others(images):
    X, y = images
    display = RetrievalDisplay.from_predictions(
        X, y, images=X, queries=[3, 50], n_neighbors=6
    )
    distances = ((X[[3, 50], None] - X) ** 2).sum(axis=2)
    nearest = distances.argsort(axis=1)[:, 1:7]
    assert_array_equal(display.neighbor_images.reshape(2, 6, 64), X[nearest])
    assert_array_equal(display.neighbor_labels, y[nearest])
    assert_array_equal(display.query_images.reshape(2, 64), X[[3, 50]])
    shown = display.axes_[1, 4].images[0].get_array()
    assert_array_equal(shown, X[nearest[1, 3]].reshape(8, 8))


def test_frames_say_right_or_wrong(images):
    X, y = images
    display = RetrievalDisplay.from_predictions(
        X[:, :20], y, images=X, n_queries=4, random_state=0
    )
    right = display.neighbor_labels == display.query_labels[:, None]
    assert 0 < right.mean() < 1
    for row, column in np.ndindex(right.shape):
        frame = display.axes_[row, column + 1].spines["left"]
        is_right = right[row, column]
        color = _style.RIGHT if is_right else _style.WRONG
        assert to_hex(frame.get_edgecolor()) == color
        assert (frame.get_linestyle() in ("-", "solid")) == is_right
        title = display.axes_[row, column + 1].get_title()
        assert title == str(display.neighbor_labels[row, column])


def test_queries_are_of_different_classes(images):
    X, y = images
    display = RetrievalDisplay.from_predictions(
        X, y, images=X, n_queries=12, n_neighbors=1, random_state=1
    )
    assert len(set(display.query_labels[:10])) == 10
    assert display.axes_.shape == (12, 2)


def test_equal_samples_do_not_find_themselves():
    X = np.zeros((4, 1))
    images = np.arange(4.0)[:, None, None] * np.ones((4, 2, 2))
    display = RetrievalDisplay.from_predictions(
        X, [0, 0, 1, 1], images=images, queries=[0, 1, 2, 3], n_neighbors=2
    )
    for query, found in zip(
        display.query_images[:, 0, 0], display.neighbor_images[:, :, 0, 0], strict=True
    ):
        assert query not in found


@pytest.mark.parametrize(
    ("shape", "image_shape", "shown"),
    [
        ((6, 4), None, (2, 2)),
        ((6, 6), (2, 3), (2, 3)),
        ((6, 1, 4, 5), None, (4, 5)),
        ((6, 3, 4, 5), None, (4, 5, 3)),
        ((6, 4, 5, 3), None, (4, 5, 3)),
        ((6, 12), (3, 2, 2), (2, 2, 3)),
    ],
)
def test_shapes_of_images(shape, image_shape, shown):
    images = np.random.default_rng(0).random(shape)
    display = RetrievalDisplay.from_predictions(
        np.arange(6.0)[:, None],
        np.arange(6) % 2,
        images=images,
        image_shape=image_shape,
        n_neighbors=2,
    )
    assert display.query_images.shape[1:] == shown


def test_the_estimator_s_space_is_searched(images):
    X, y = images
    pca = PCA(3, random_state=0).fit(X)
    display = RetrievalDisplay.from_estimator(pca, X, y, queries=[9])
    expected = RetrievalDisplay.from_predictions(
        pca.transform(X), y, images=X, queries=[9]
    )
    assert_array_equal(display.neighbor_labels, expected.neighbor_labels)
    with pytest.raises(TypeError, match="DBSCAN has no transform"):
        RetrievalDisplay.from_estimator(DBSCAN(), X, y)


def test_wrong_arguments_of_the_retrieval(images):
    X, y = images
    with pytest.raises(ValueError, match="5 values in a row, which is no square"):
        RetrievalDisplay.from_predictions(X, y, images=X[:, :5])
    with pytest.raises(ValueError, match="n_neighbors=200 must be less"):
        RetrievalDisplay.from_predictions(X, y, images=X, n_neighbors=200)
    with pytest.raises(ValueError, match=r"\(2, 2, 4, 4\) cannot be shown"):
        RetrievalDisplay.from_predictions(X, y, images=X.reshape(200, 2, 2, 4, 4))


# Curves


def test_loss_curve_of_what_holds_one(iris):
    X, y = iris
    model = ConstrainedNeuralClusterer(3, max_iter=4, random_state=0)
    pairs = PairwiseConstraints.sample_from_labels(y, 120, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model),
        {"constrainedneuralclusterer__n_clusters": [3]},
        cv=ConstraintKFold(2, random_state=0),
    ).fit(X, pairs)
    display = LossCurveDisplay.from_estimator(search, name="a")
    curve = search.best_estimator_[-1].loss_curve_
    assert_array_equal(display.line_.get_ydata(), curve)
    assert display.line_.get_xdata().tolist() == [1, 2, 3, 4]
    other = LossCurveDisplay.from_predictions([3, 1], name="b", ax=display.ax_)
    assert other.ax_ is display.ax_ and legend_of(other.ax_) == ["a", "b"]
    assert other.line_.get_color() != display.line_.get_color()
    with pytest.raises(TypeError, match="KMeans has no loss_curve_"):
        LossCurveDisplay.from_estimator(KMeans())


def test_constraint_curve_is_a_learning_curve_over_pairs(iris):
    X, y = iris
    pairs = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    display = ConstraintCurveDisplay.from_estimator(
        PCKMeans(3, random_state=0), X, pairs, cv=4, random_state=0, name="PCKMeans"
    )
    assert_array_equal(display.n_pairs, [15, 37, 75, 150])
    assert display.test_scores.shape == display.train_scores.shape == (4, 4)
    assert_allclose(display.lines_[0].get_ydata(), display.test_scores.mean(axis=1))
    assert display.ax_.get_ylabel() == "ROC AUC" and display.ax_.get_xscale() == "log"
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == [
        "15",
        "37",
        "75",
        "150",
    ]
    # the last fit has three quarters of the pairs, and all rows
    listed = np.concatenate((pairs.must_link, pairs.cannot_link))
    same = np.repeat([1, -1], [pairs.n_must_link, pairs.n_cannot_link])
    classifier = PairClassifier(PCKMeans(3, random_state=0), X).fit(listed, same)
    assert abs(display.train_scores[-1].mean() - classifier.score(listed, same)) < 0.15


def test_constraint_curves_beside_each_other():
    first = ConstraintCurveDisplay.from_predictions(
        [10, 100],
        [[0.5, 0.7], [0.8, 0.8]],
        train_scores=[[1, 1], [0.9, 1]],
        name="one",
        score_name="accuracy",
    )
    band = first.bands_[0].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.5) and band[:, 1].max() <= 0.8 + 1e-9
    assert len(first.lines_) == 1
    second = ConstraintCurveDisplay([10, 100], [[0.6], [0.7]], train_scores=[[1], [1]])
    second.plot(ax=first.ax_, name="two", show_train=True, log_scale=False)
    assert len(second.lines_) == 2
    assert legend_of(first.ax_) == ["one", "two", "two training pairs"]
    colors = {line.get_color() for line in first.lines_ + second.lines_}
    assert len(colors) == 2


# All of them

MADE = {
    "embedding": lambda ax=None: ClusterEmbeddingDisplay.from_predictions(
        POINTS, LABELS, PAIRS, ax=ax
    ),
    "contingency": lambda ax=None: ContingencyDisplay.from_predictions(
        LABELS, LABELS, ax=ax
    ),
    "retrieval": lambda ax=None: RetrievalDisplay.from_predictions(
        POINTS, LABELS, images=np.zeros((4, 4)), n_neighbors=2, ax=ax
    ),
    "loss": lambda ax=None: LossCurveDisplay.from_predictions([2, 1], ax=ax),
    "curve": lambda ax=None: ConstraintCurveDisplay.from_predictions(
        [1, 2], [[0], [1]], ax=ax
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_axes_are_kept_and_taken(name):
    display = MADE[name]()
    assert display.figure_ is display.ax_.figure
    figure, (left, right) = plt.subplots(ncols=2)
    assert display.plot(ax=right) is display
    assert display.ax_ is right and display.figure_ is figure
    assert MADE[name](ax=left).ax_ is left
    # nothing beside what was asked for
    assert {*figure.axes} >= {left, right} and len(plt.get_fignums()) == 2


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_text_follows_the_style(name, style):
    with plt.style.context(style):
        display = MADE[name]()
        display.figure_.canvas.draw()
        for text in (display.ax_.xaxis.label, display.ax_.yaxis.label):
            assert to_hex(text.get_color()) == to_hex(plt.rcParams["text.color"])


def test_without_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from skpairclust.inspection import ContingencyDisplay\n"
        "try:\n    ContingencyDisplay.from_predictions([0, 1], [1, 0])\n"
        "except ImportError as error:\n    print(error)"
    )
    root = Path(skpairclust.__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root
    )
    assert "ContingencyDisplay needs matplotlib" in result.stdout, result.stderr


# Missing classes, and data frames as outputs


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_classes_are_no_class(missing):
    true, pred = ["a", missing, "b", "b"], [1, 1, 0, 0]
    display = ContingencyDisplay.from_predictions(true, pred)
    assert display.table.tolist() == [[1, 0], [0, 2]]
    assert display.classes.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="labels_pred must hold a cluster"):
        ContingencyDisplay.from_predictions(pred, true)
    with pytest.raises(ValueError, match="labels must hold a cluster"):
        ClusterEmbeddingDisplay.from_predictions(np.zeros((4, 2)), true)


def test_images_without_class_are_neither_right_nor_wrong():
    display = RetrievalDisplay.from_predictions(
        [[0.0], [0.1], [0.2], [5.0]],
        ["a", None, "a", "b"],
        images=np.zeros((4, 2, 2)),
        queries=[0],
        n_neighbors=3,
    )
    colors = [axes.spines["left"].get_edgecolor() for axes in display.axes_[0]]
    assert colors == [to_rgba(c) for c in (NEUTRAL, NEUTRAL, RIGHT, WRONG)]
    drawn = RetrievalDisplay.from_predictions(
        np.eye(4), [0, np.nan, 0, 1], images=np.zeros((4, 2, 2)), n_neighbors=2
    )
    assert None not in drawn.query_labels.tolist()
    with pytest.raises(ValueError, match="labels are all missing"):
        RetrievalDisplay.from_predictions(
            np.eye(4), [None] * 4, images=np.zeros((4, 2, 2)), n_neighbors=2
        )


@pytest.mark.parametrize("library", ["default", "pandas", "polars"])
@pytest.mark.parametrize("is_global", [True, False])
def test_displays_whatever_transform_returns(library, is_global):
    X, y = load_iris(return_X_y=True)
    X, y = X[::3], y[::3]
    pairs = PairwiseConstraints.sample_from_labels(y, 30, random_state=0)
    model = PCKMeans(3, random_state=0).fit(X, pairs)
    expected = ClusterEmbeddingDisplay.from_estimator(model, X, random_state=0).points
    found = RetrievalDisplay.from_estimator(
        model, X, y, images=np.zeros((50, 2, 2)), random_state=0
    ).neighbor_labels
    if not is_global:
        model.set_output(transform=library)
    with sklearn.config_context(transform_output=library if is_global else "default"):
        for method in ("tsne", "pca"):
            display = ClusterEmbeddingDisplay.from_estimator(
                model, X, pairs, method=method, random_state=0
            )
            assert isinstance(display.points, np.ndarray)
            if method == "tsne":
                assert_allclose(display.points, expected)
        display = RetrievalDisplay.from_estimator(
            model, X, y, images=np.zeros((50, 2, 2)), random_state=0
        )
        assert display.neighbor_labels.tolist() == found.tolist()
        ContingencyDisplay.from_estimator(model, X, y)
        ConstraintCurveDisplay.from_estimator(model, X, pairs, cv=2, train_sizes=[1.0])
        cross_validate_constraints(model, X, pairs, cv=2)


# Folds of pairs, and bands of scores


def make_sorted_blobs():
    """Return samples sorted by cluster, so that pairs sorted by row are as well."""
    y = np.repeat([0, 1, 2], 40)
    X = np.random.RandomState(0).randn(120, 2) + 6 * np.eye(3)[y][:, :2]
    return X, PairwiseConstraints.sample_from_labels(y, 150, random_state=0)


@pytest.mark.parametrize("cv", [None, 3, 5])
def test_curves_hold_out_pairs_of_all_rows(cv, monkeypatch):
    seen = []
    fit = PairClassifier.fit

    def spy(self, pairs, *args, **kwargs):
        seen.append(pairs)
        return fit(self, pairs, *args, **kwargs)

    monkeypatch.setattr(PairClassifier, "fit", spy)
    X, pairs = make_sorted_blobs()
    options = {"cv": cv, "train_sizes": [1.0], "random_state": 0}
    model = PCKMeans(3, random_state=0)
    one = ConstraintCurveDisplay.from_estimator(model, X, pairs, **options)
    first_rows = np.sort(pairs.must_link[:, 0])
    cut = first_rows[len(first_rows) // 3]
    for trained in seen:
        left_out = {*map(tuple, pairs.must_link)} - {*map(tuple, trained)}
        starts = np.array([first for first, _ in left_out])
        assert (starts <= cut).any() and (starts > cut).any()
    again = ConstraintCurveDisplay.from_estimator(model, X, pairs, **options)
    assert_allclose(one.test_scores, again.test_scores)
    options["random_state"] = np.random.RandomState(3)
    ConstraintCurveDisplay.from_estimator(model, X, pairs, **options)


def test_curve_of_wine_is_that_of_shuffled_folds():
    X, y = load_wine(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    pairs = PairwiseConstraints.sample_from_labels(y, 200, random_state=0)
    display = ConstraintCurveDisplay.from_estimator(
        PCKMeans(3, random_state=0), X, pairs, train_sizes=[1.0], random_state=0
    )
    assert display.test_scores.mean() > 0.9
    top = display.bands_[0].get_paths()[0].vertices[:, 1].max()
    assert top <= 1


@pytest.mark.parametrize(
    ("scores", "score_range", "lowest", "highest"),
    [
        ([[0.8, 1.0], [0.9, 1.0]], "auto", 0.8, 1.0),
        ([[0.6, 1.0, 1.0, 1.0]] * 2, "auto", 0.7267949, 1.0),
        ([[0.0, 0.0, 0.0, 0.4]] * 2, "auto", 0.0, 0.2732051),
        ([[-0.2, 1.0, 1.0, 1.0]] * 2, "auto", 0.1803848, 1.2196152),
        ([[-0.2, 1.0, 1.0, 1.0]] * 2, (-1, 1), 0.1803848, 1.0),
        ([[0.6, 1.0, 1.0, 1.0]] * 2, None, 0.7267949, 1.0732051),
    ],
)
def test_bands_stay_in_the_range_of_the_score(scores, score_range, lowest, highest):
    display = ConstraintCurveDisplay([10, 20], scores, score_range=score_range).plot()
    heights = display.bands_[0].get_paths()[0].vertices[:, 1]
    assert_allclose([heights.min(), heights.max()], [lowest, highest], rtol=1e-6)
