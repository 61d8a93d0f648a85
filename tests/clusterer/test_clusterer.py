"""ConstrainedNeuralClusterer: what it learns, keeps and promises."""

import copy
import pickle
import subprocess
import sys
import warnings
from itertools import combinations

import joblib
import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints
from skpairclust.clusterer._kept_pairs import warn_of_violated
from skpairclust.metrics import constraint_accuracy_score


def small(n_clusters=3, **changed):
    """Return a clusterer that trains in a moment."""
    fast = {"hidden_layer_sizes": (32,), "max_iter": 20, "random_state": 0}
    return ConstrainedNeuralClusterer(n_clusters, **(fast | changed))


@pytest.fixture(scope="module")
def iris_pairs(iris):
    return PairwiseConstraints.sample_from_labels(iris[1], 200, random_state=0)


@pytest.fixture(scope="module")
def fitted(iris, iris_pairs):
    return small().fit(iris[0], iris_pairs)


class TestLearning:
    @pytest.mark.parametrize("loss", ["mcl", "kcl"])
    def test_recovers_classes_on_new_rows_from_pairs(self, iris, loss):
        X, X_new, y, y_new = train_test_split(*iris, random_state=0, stratify=iris[1])
        pairs = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
        clusterer = ConstrainedNeuralClusterer(3, loss=loss, random_state=0)
        clusterer.fit(X, pairs)
        assert adjusted_rand_score(y_new, clusterer.predict(X_new)) > 0.8

    def test_pairs_beat_kmeans_where_clusters_are_not_convex(self):
        X, y = make_moons(400, noise=0.05, random_state=0)
        pairs = PairwiseConstraints.sample_from_labels(y, 40, random_state=0)
        ours = adjusted_rand_score(y, small(2, max_iter=50).fit_predict(X, pairs))
        kmeans = KMeans(2, n_init=10, random_state=0).fit_predict(X)
        assert ours > adjusted_rand_score(y, kmeans) + 0.2

    def test_picked_pairs_do_not_merge_clusters(self):
        """Neighbors on a map, and what is far: adjacent regions have no cannot-link."""
        corners = [[0, 0], [4, 0], [0, 4], [4, 4]]
        place, region = make_blobs(
            600, centers=corners, cluster_std=0.7, random_state=0
        )
        rng = np.random.default_rng(0)
        values = 0.6 * rng.normal(size=(4, 30))[region] + rng.normal(size=(600, 30))
        pairs = PairwiseConstraints.from_neighbors(
            place, n_neighbors=2, n_cannot_link=600, cannot_radius=4.0, random_state=0
        )
        for seed in range(2):
            clusterer = ConstrainedNeuralClusterer(4, random_state=seed)
            labels = clusterer.fit_predict(values, pairs)
            assert adjusted_rand_score(region, labels) > 0.95

    def test_must_links_alone_help(self, digits):
        X, y = digits
        same = PairwiseConstraints.sample_from_labels(
            y, 800, balanced=True, random_state=0
        ).must_link
        clusterer = ConstrainedNeuralClusterer(10, random_state=0)
        labels = clusterer.fit(X, must_link=same).labels_
        assert adjusted_rand_score(y, labels) > 0.8
        assert len(np.unique(labels)) == 10

    @pytest.mark.parametrize("loss", ["mcl", "kcl"])
    def test_published_method_learns_from_constrained_samples_alone(self, iris, loss):
        labels = PairwiseConstraints.from_labels(iris[1])
        clusterer = small(
            loss=loss, unlabeled=None, max_iter=50, learning_rate=0.01
        ).fit(iris[0], labels)
        assert adjusted_rand_score(iris[1], clusterer.labels_) > 0.85

    def test_lenet_on_flat_rows_of_a_pipeline(self):
        rng = np.random.RandomState(0)
        y = np.repeat([0, 1], 40)
        images = 0.3 * rng.rand(80, 16, 16)
        images[y == 0, :8] += 1
        images[y == 1, 8:] += 1
        pipeline = make_pipeline(
            StandardScaler(),
            small(2, network="lenet", input_shape=(1, 16, 16), max_iter=3),
        )
        labels = PairwiseConstraints.from_labels(y)
        assert (
            adjusted_rand_score(y, pipeline.fit_predict(images.reshape(80, -1), labels))
            == 1
        )
        images_fit = small(2, network="lenet", max_iter=3).fit(images, labels)
        assert images_fit.transform(images).shape == (80, 500)
        assert adjusted_rand_score(y, images_fit.predict(images)) == 1

    def test_own_network(self, iris, iris_pairs):
        def network(input_shape, n_outputs):
            return nn.Sequential(
                nn.Linear(*input_shape, 24), nn.ReLU(), nn.Linear(24, n_outputs)
            )

        clusterer = small(network=network, unlabeled=None, learning_rate=0.02)
        clusterer.fit(iris[0], iris_pairs)
        assert adjusted_rand_score(iris[1], clusterer.labels_) > 0.8
        assert clusterer.transform(iris[0]).shape == (150, 24)

    def test_weights_decide_whom_to_believe(self):
        """A third of the pairs is wrong: harmless if light, ruinous if heavy."""
        X = np.random.RandomState(0).randn(60, 2)
        y = (X[:, 0] > 0).astype(int)
        pairs = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
        is_must = np.arange(300) < pairs.n_must_link
        links = np.concatenate([pairs.must_link, pairs.cannot_link])
        wrong = np.random.RandomState(0).rand(300) < 1 / 3
        said = is_must ^ wrong
        scores = []
        for weight in (0.01, 100.0):
            weights = np.where(wrong, weight, 1.0)
            noisy = PairwiseConstraints(
                links[said],
                links[~said],
                n_samples=60,
                must_link_weight=weights[said],
                cannot_link_weight=weights[~said],
            )
            clusterer = small(2, unlabeled=None, max_iter=40)
            with pytest.warns(UserWarning, match="cannot-link"):
                scores.append(adjusted_rand_score(y, clusterer.fit_predict(X, noisy)))
        assert scores[0] > 0.8 > scores[1]

    def test_labels_beside_pairs_name_the_clusters(self, iris):
        X, y = iris
        partial = np.where(np.arange(150) % 5 == 0, y + 5, -1)
        clusterer = ConstrainedNeuralClusterer(
            3, classification_weight=1.0, random_state=0
        )
        clusterer.fit(X, partial, must_link=[[0, 1]], cannot_link=[[0, 149]])
        assert np.mean(clusterer.labels_ == y) > 0.85

    def test_unsupervised_fit_clusters_sensibly(self, iris):
        clusterer = small(max_iter=50).fit(iris[0])
        assert adjusted_rand_score(iris[1], clusterer.labels_) > 0.4

    def test_restarts_keep_the_lowest_loss(self, iris, iris_pairs):
        seeds = np.random.RandomState(0).randint(2**31, size=3)
        best = small(n_init=3).fit(iris[0], iris_pairs)
        from_one = small().fit(iris[0], iris_pairs)
        assert best.loss_ <= from_one.loss_
        assert len(set(seeds)) == 3


class TestFittedState:
    def test_attributes_agree_with_each_other(self, iris, fitted):
        X = iris[0]
        proba = fitted.predict_proba(X)
        assert proba.dtype == np.float32
        np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-5)
        np.testing.assert_array_equal(fitted.predict(X), proba.argmax(1))
        np.testing.assert_array_equal(fitted.labels_, fitted.predict(X))
        assert fitted.n_clusters_ == len(np.unique(fitted.labels_))
        assert fitted.loss_ == min(fitted.loss_curve_)
        assert fitted.n_iter_ == len(fitted.loss_curve_) == 20
        assert fitted.n_features_in_ == 4
        logits = fitted.network_(torch.tensor(X, dtype=torch.float32))
        np.testing.assert_allclose(
            (logits / fitted.temperature_)
            .softmax(1)
            .detach()
            .numpy()[:, fitted.cluster_order_],
            proba,
            atol=1e-6,
        )

    def test_features_are_what_the_last_layer_gets(self, iris, fitted):
        features = fitted.transform(iris[0])
        assert features.shape == (150, 32)
        assert features.dtype == np.float32
        weight, bias = list(fitted.weights_.values())[-2:]
        logits = features @ weight.T + bias
        order = fitted.cluster_order_
        np.testing.assert_array_equal(logits[:, order].argmax(1), fitted.labels_)

    def test_clusters_in_use_come_first(self, iris, iris_pairs):
        clusterer = small(12, unlabeled="vat", max_iter=40).fit(iris[0], iris_pairs)
        used = np.unique(clusterer.labels_)
        np.testing.assert_array_equal(used, np.arange(clusterer.n_clusters_))
        assert clusterer.n_clusters_ < 12

    def test_automatic_number_of_clusters(self, iris, tmp_path):
        X, y = iris
        pairs = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
        clusterer = ConstrainedNeuralClusterer("auto", random_state=0).fit(X, pairs)
        sizes = np.bincount(clusterer.labels_)
        assert (sizes > 0.05 * len(X)).sum() == 3
        assert adjusted_rand_score(y, clusterer.labels_) > 0.8
        # What it set out with can be seen nowhere but in the fitted state.
        clusterer.save(tmp_path / "auto.safetensors")
        loaded = ConstrainedNeuralClusterer.load(tmp_path / "auto.safetensors")
        assert np.array_equal(loaded.predict(X), clusterer.labels_)

    def test_automatic_number_needs_cannot_links(self, iris):
        with pytest.raises(ValueError, match="n_clusters='auto' needs cannot-links"):
            small("auto").fit(iris[0], must_link=[[0, 1]])

    def test_chosen_weights_follow_the_number_of_pairs(self, iris):
        X, y = iris
        few, many = (
            small(max_iter=1).fit(
                X, PairwiseConstraints.sample_from_labels(y, n, random_state=0)
            )
            for n in (30, 3000)
        )
        assert few.pair_weight_ < many.pair_weight_
        assert few.adversarial_radius_ > many.adversarial_radius_
        assert (few.size_freedom_, many.size_freedom_) == (
            0,
            pytest.approx(0.7, abs=0.3),
        )
        given = small(max_iter=1, pair_weight=2.0, adversarial_radius=0.1)
        given.fit(X, must_link=[[0, 1]])
        assert (given.pair_weight_, given.adversarial_radius_) == (2.0, 0.1)

    @pytest.mark.parametrize(("n_samples", "units"), [(9_999, 256), (10_000, 512)])
    def test_more_units_for_many_samples(self, n_samples, units, tmp_path):
        X = np.random.RandomState(0).rand(n_samples, 2).astype(np.float32)
        clusterer = ConstrainedNeuralClusterer(2, max_iter=1, random_state=0)
        clusterer.fit(X, must_link=[(0, 1)], cannot_link=[(1, 2)])
        assert clusterer.hidden_layer_sizes_ == (units, units)
        widths = [w.shape[0] for w in clusterer.weights_.values() if w.ndim == 2]
        assert widths == [units, units, 2]
        clusterer.save(tmp_path / "model.safetensors")
        loaded = ConstrainedNeuralClusterer.load(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(loaded.predict(X), clusterer.labels_)

    def test_information_weight_grows_with_the_number_of_clusters(self, iris):
        chosen = [
            small(k, max_iter=1).fit(iris[0]).information_weight_ for k in (1, 2, 8)
        ]
        assert chosen == pytest.approx([0, 0.1, 0.3])
        given = small(information_weight=0.7, max_iter=1).fit(iris[0])
        assert given.information_weight_ == 0.7

    def test_score_is_the_balanced_share_of_respected_pairs(self, iris, fitted):
        X, y = iris
        pairs = PairwiseConstraints.sample_from_labels(y, 50, random_state=5)
        labels = fitted.predict(X)
        must, cannot = pairs.must_link, pairs.cannot_link
        expected = np.mean(
            [
                np.mean(labels[must[:, 0]] == labels[must[:, 1]]),
                np.mean(labels[cannot[:, 0]] != labels[cannot[:, 1]]),
            ]
        )
        assert fitted.score(X, pairs) == pytest.approx(expected)
        assert fitted.score(X, y) == pytest.approx(
            constraint_accuracy_score(PairwiseConstraints.from_labels(y), labels)
        )

    def test_early_stopping_ends_before_max_iter(self, iris, iris_pairs):
        # Without trials, and without clusters that settle, which end it as well.
        options = {"schedule": "constant", "unlabeled": None, "init": "random"}
        patient, hasty = (
            small(max_iter=60, n_iter_no_change=n, tol=1e-2, **options)
            .fit(iris[0], iris_pairs)
            .loss_curve_
            for n in (None, 5)
        )
        bests = np.minimum.accumulate(patient)
        is_no_better = bests[5:] > bests[:-5] - 1e-2
        assert len(patient) == 60
        assert len(hasty) == 6 + is_no_better.argmax() < 60

    def test_warm_start_goes_on_from_the_weights(self, iris, iris_pairs):
        clusterer = small(warm_start=True).fit(iris[0], iris_pairs)
        before = clusterer.loss_curve_[0]
        clusterer.fit(iris[0], iris_pairs)
        assert clusterer.loss_curve_[0] < before
        clusterer.set_params(n_clusters=4).fit(iris[0], iris_pairs)
        assert clusterer.predict_proba(iris[0]).shape == (150, 4)

    @pytest.mark.parametrize(
        "copier", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))]
    )
    def test_copies_predict_the_same_and_hold_only_numpy(self, iris, fitted, copier):
        other = copier(fitted)
        np.testing.assert_array_equal(
            other.predict_proba(iris[0]), fitted.predict_proba(iris[0])
        )
        state = fitted.__getstate__()
        assert not any(isinstance(v, nn.Module | torch.Tensor) for v in state.values())

    def test_fitted_on_a_gpu_predicts_without_one(self, iris, fitted):
        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
        other = pickle.loads(pickle.dumps(fitted.set_params(device="cuda")))
        fitted.set_params(device="auto")
        np.testing.assert_array_equal(other.predict(iris[0]), fitted.labels_)


def global_numpy_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002


class TestRandomState:
    def test_same_seed_same_labels_and_global_states_untouched(self, iris, iris_pairs):
        states = global_numpy_state(), torch.get_rng_state()
        probas = [
            small(random_state=seed).fit(iris[0], iris_pairs).predict_proba(iris[0])
            for seed in (0, 0, 1)
        ]
        np.testing.assert_array_equal(probas[0], probas[1])
        assert not np.array_equal(probas[0], probas[2])
        np.testing.assert_array_equal(global_numpy_state(), states[0])
        assert torch.equal(torch.get_rng_state(), states[1])

    @pytest.mark.parametrize("backend", ["loky", "threading"])
    def test_parallel_restarts_equal_sequential_ones(self, iris, iris_pairs, backend):
        alone = small(n_init=3, max_iter=5).fit(iris[0], iris_pairs)
        with joblib.parallel_backend(backend):
            together = small(n_init=3, max_iter=5, n_jobs=2).fit(iris[0], iris_pairs)
        assert alone.loss_ == pytest.approx(together.loss_, rel=1e-5)
        np.testing.assert_array_equal(alone.labels_, together.labels_)

    def test_dropout_of_an_own_network_follows_the_seed(self, iris, iris_pairs):
        def network(input_shape, n_outputs):
            return nn.Sequential(nn.Dropout(0.3), nn.Linear(4, n_outputs))

        torch.manual_seed(11)
        before = torch.get_rng_state()
        curves = [
            small(network=network, max_iter=3).fit(iris[0], iris_pairs).loss_curve_
            for _ in range(2)
        ]
        assert curves[0] == curves[1]
        assert torch.equal(torch.get_rng_state(), before)

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_dropout_follows_the_seed_alone(self, iris, iris_pairs, n_jobs):
        options = {"dropout": 0.3, "max_iter": 3, "n_init": 2, "unlabeled": None}
        torch.manual_seed(11)
        before = torch.get_rng_state()
        curves = []
        for n in (None, n_jobs):
            with joblib.parallel_backend("threading"):
                model = small(n_jobs=n, **options).fit(iris[0], iris_pairs)
            curves.append(model.loss_curve_)
        assert curves[0] == curves[1]
        assert torch.equal(torch.get_rng_state(), before)
        plain = small(**options | {"dropout": 0.0}).fit(iris[0], iris_pairs)
        assert plain.loss_curve_ != curves[0]
        # There is none once the training is over.
        np.testing.assert_array_equal(
            model.predict_proba(iris[0]), model.predict_proba(iris[0])
        )

    def test_training_goes_on_with_other_dropout(self, iris, iris_pairs):
        first = small(max_iter=3, warm_start=True).fit(iris[0], iris_pairs)
        again = clone(first).set_params(max_iter=1)
        cold = clone(again).fit(iris[0], iris_pairs)
        first.set_params(max_iter=1, dropout=0.2).fit(iris[0], iris_pairs)
        assert first.loss_curve_[0] != cold.loss_curve_[0]


class TestInputs:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
    def test_dtypes(self, iris, iris_pairs, dtype):
        X = (10 * iris[0]).astype(dtype)
        assert small(max_iter=1).fit(X, iris_pairs).labels_.shape == (150,)

    def test_every_form_of_supervision_is_the_same_knowledge(self, iris, iris_pairs):
        X = iris[0]
        triples = np.concatenate(
            [
                np.column_stack(
                    [iris_pairs.must_link, np.ones(iris_pairs.n_must_link)]
                ),
                np.column_stack(
                    [iris_pairs.cannot_link, -np.ones(iris_pairs.n_cannot_link)]
                ),
            ]
        ).astype(int)
        expected = small(max_iter=3).fit(X, iris_pairs).predict_proba(X)
        for args in (
            {"y": triples},
            {"y": iris_pairs.to_matrix()},
            {"y": iris_pairs.to_matrix().toarray()},
            {"must_link": iris_pairs.must_link, "cannot_link": iris_pairs.cannot_link},
        ):
            proba = small(max_iter=3).fit(X, **args).predict_proba(X)
            np.testing.assert_allclose(proba, expected, atol=1e-5)

    def test_read_only_memory_map(self, iris, iris_pairs, tmp_path):
        path = tmp_path / "X.npy"
        np.save(path, iris[0].astype(np.float32))
        X = np.load(path, mmap_mode="r")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            labels = small(max_iter=2).fit(X, iris_pairs).predict(X)
        assert labels.shape == (150,)

    def test_sparse_rows_are_the_same_data(self, iris, iris_pairs):
        X = np.where(np.abs(iris[0]) > 0.5, iris[0], 0).astype(np.float32)
        dense = small(max_iter=3).fit(X, iris_pairs)
        for kind in (sparse.csr_array, sparse.csc_matrix):
            other = small(max_iter=3).fit(kind(X), iris_pairs)
            np.testing.assert_allclose(
                other.predict_proba(kind(X)), dense.predict_proba(X), atol=1e-4
            )
            assert isinstance(other.transform(kind(X)), np.ndarray)

    @pytest.mark.slow
    def test_wide_sparse_matrix_is_never_dense(self):
        """100,000 x 50,000 with 0.1 %: 20 GB dense, 2 GiB allowed."""
        result = subprocess.run(
            [sys.executable, "-c", WIDE_SPARSE_FIT], capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        assert float(result.stdout) < 2 * 1024

    def test_one_pair_and_fewer_samples_than_a_batch(self):
        X = np.random.RandomState(0).randn(5, 3)
        clusterer = small(2, max_iter=2).fit(X, must_link=[[0, 1]])
        assert np.isfinite(clusterer.predict_proba(X)).all()

    @pytest.mark.parametrize("n_clusters", [3, 20])
    @pytest.mark.parametrize("supervision", ["two samples", "must", "cannot"])
    def test_little_or_one_sided_knowledge_does_not_collapse(
        self, iris, supervision, n_clusters
    ):
        """k = 20 is more than the samples that two of these say anything about."""
        X, y = iris
        links = {
            "two samples": {"must_link": [[0, 1]]},
            "must": {"must_link": same_class_pairs(y, 40)},
            "cannot": {"cannot_link": [[0, 50], [50, 100], [0, 100], [1, 51]]},
        }
        clusterer = small(n_clusters).fit(X, **links[supervision])
        assert np.isfinite(clusterer.predict_proba(X)).all()
        assert clusterer.n_clusters_ >= 2

    def test_duplicates_and_constant_features(self, iris):
        X, y = iris
        X = np.tile(np.c_[X, np.ones(len(X)), np.zeros(len(X))], (2, 1))
        pairs = PairwiseConstraints.sample_from_labels(np.tile(y, 2), 200)
        clusterer = ConstrainedNeuralClusterer(3, random_state=0).fit(X, pairs)
        assert np.isfinite(clusterer.predict_proba(X)).all()
        assert adjusted_rand_score(np.tile(y, 2), clusterer.labels_) > 0.8

    def test_all_samples_the_same(self):
        clusterer = small(2, max_iter=5).fit(np.ones((40, 3)), must_link=[[0, 1]])
        assert np.isfinite(clusterer.predict_proba(np.ones((2, 3)))).all()
        assert clusterer.n_clusters_ == 1

    def test_a_feature_of_other_units_warns(self, iris):
        X, _ = iris
        with pytest.warns(UserWarning, match="StandardScaler"):
            small(3, max_iter=1).fit(X * [1, 1, 1, 1000], must_link=[[0, 1]])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            small(3, max_iter=1).fit(np.c_[X, np.ones(len(X))], must_link=[[0, 1]])


def same_class_pairs(y, n_pairs):
    """Return must-links drawn within classes."""
    pairs = PairwiseConstraints.sample_from_labels(y, 4 * n_pairs, random_state=0)
    return pairs.must_link[:n_pairs]


WIDE_SPARSE_FIT = """
import resource
import numpy as np
import torch
from scipy import sparse
from skpairclust import ConstrainedNeuralClusterer, PairwiseConstraints

torch.set_num_threads(1)
rng = np.random.RandomState(0)
n, d = 100_000, 50_000
columns = rng.randint(d, size=50 * n)
values = rng.rand(50 * n).astype(np.float32)
X = sparse.csr_array((values, columns, np.arange(0, 50 * n + 1, 50)), shape=(n, d))
y = rng.randint(5, size=n)
pairs = PairwiseConstraints.sample_from_labels(y, 1000, random_state=0)
clusterer = ConstrainedNeuralClusterer(5, max_iter=1, random_state=0).fit(X, pairs)
clusterer.predict(X)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def parameters(**changed):
    return changed


class TestBadInput:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            (parameters(n_clusters=0), "n_clusters"),
            (parameters(n_clusters=2.5), "n_clusters"),
            (parameters(n_clusters=151), "n_clusters=151.*n_samples=150"),
            (parameters(loss="hinge"), "loss.*'hinge'"),
            (parameters(network="resnet"), "network.*'resnet'"),
            (parameters(optimizer="lbfgs"), "optimizer.*'lbfgs'"),
            (parameters(unlabeled="none"), "unlabeled.*'none'"),
            (parameters(margin=-1.0), "margin.*-1.0"),
            (parameters(learning_rate=0), "learning_rate"),
            (parameters(momentum=1.0), "momentum"),
            (parameters(batch_size=1), "batch_size"),
            (parameters(max_iter=0), "max_iter"),
            (parameters(hidden_layer_sizes=(8, 0)), r"hidden_layer_sizes=\(8, 0\)"),
            (parameters(input_shape=(5, 5)), r"input_shape=\(5, 5\) holds 25 values"),
            (parameters(input_shape=(2, -2)), "input_shape"),
            (parameters(network="lenet"), "16 x 16"),
            (parameters(device="cuda:99"), "cuda:99.*device='auto'"),
            (parameters(device="gpu"), "device='gpu'"),
            (
                parameters(classification_weight=1.0),
                "classification_weight needs labels",
            ),
        ],
    )
    def test_parameters(self, iris, iris_pairs, params, message):
        with pytest.raises(ValueError, match=message):
            small(**params).fit(iris[0], iris_pairs)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_non_finite_X(self, iris, iris_pairs, value):
        X = iris[0].copy()
        X[3, 1] = value
        with pytest.raises(ValueError, match="X contains|infinity"):
            small().fit(X, iris_pairs)

    def test_nothing_to_learn_from(self, iris):
        with pytest.raises(ValueError, match="unlabeled=None.*pass constraints"):
            small(unlabeled=None).fit(iris[0])

    def test_more_classes_than_clusters(self, iris):
        with pytest.raises(ValueError, match="3 classes"):
            small(2, classification_weight=1.0).fit(*iris)

    def test_constraints_of_other_samples(self, iris, iris_pairs):
        with pytest.raises(ValueError, match="150.*149|149.*150"):
            small().fit(iris[0][:-1], iris_pairs)

    def test_index_arrays_beside_pairs_in_y(self, iris, iris_pairs):
        with pytest.raises(ValueError, match="must_link"):
            small().fit(iris[0], iris_pairs, must_link=[[0, 1]])

    def test_direct_conflict(self, iris):
        with pytest.raises(ValueError, match="0, 1"):
            small().fit(iris[0], must_link=[[0, 1]], cannot_link=[[1, 0]])

    def test_entailed_conflict_warns_once_with_the_count(self, iris):
        with pytest.warns(UserWarning, match="1 cannot-link") as caught:
            small(max_iter=1).fit(
                iris[0], must_link=[[0, 1], [1, 2]], cannot_link=[[0, 2]]
            )
        assert len(caught) == 1

    def test_new_samples_of_another_shape(self, fitted):
        with pytest.raises(ValueError, match="features"):
            fitted.predict(np.zeros((3, 5)))

    def test_score_without_constraints(self, iris, fitted):
        with pytest.raises(ValueError, match="no pair"):
            fitted.score(iris[0])


class TestFailures:
    def test_all_restarts_non_finite_leave_an_earlier_fit_whole(self, iris, iris_pairs):
        clusterer = small(max_iter=3).fit(iris[0], iris_pairs)
        before = clusterer.predict_proba(iris[0])
        clusterer.set_params(learning_rate=1e30, optimizer="sgd", n_init=2)
        with pytest.raises(ValueError, match=r"non-finite .* all starts \(2\)"):
            clusterer.fit(iris[0][:, :2], iris_pairs)
        np.testing.assert_array_equal(clusterer.predict_proba(iris[0]), before)
        assert clusterer.n_features_in_ == 4

    def test_interrupt_leaves_a_usable_estimator_and_warns(self, iris, iris_pairs):
        calls = []

        class Interrupting(nn.Linear):
            def forward(self, x):
                calls.append(1)
                # The first calls are the check of the outputs and whole epochs.
                if self.training and len(calls) == 150:
                    raise KeyboardInterrupt
                return super().forward(x)

        clusterer = small(
            network=lambda shape, n: Interrupting(*shape, n), n_init=3, walk_length=0
        )
        with pytest.warns(UserWarning, match="interrupted") as caught:
            clusterer.fit(iris[0], iris_pairs)
        assert caught[0].filename == __file__
        assert 0 < len(clusterer.loss_curve_) < 20
        assert clusterer.predict(iris[0]).shape == (150,)

    def test_clone_is_unfitted(self, fitted):
        assert not hasattr(clone(fitted), "weights_")


def test_clusters_that_keep_no_pairs_are_warned_of(iris, iris_pairs):
    X = iris[0].copy()
    X[0] = 1e6
    with pytest.warns(UserWarning, match="nothing was learned") as caught:
        small().fit(X, iris_pairs)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("n_pairs", [120, 5000])
@pytest.mark.parametrize("as_labels", [False, True])
def test_what_chance_keeps_is_nothing_learned(n_pairs, as_labels):
    y = np.random.RandomState(0).randint(3, size=300)
    pairs = PairwiseConstraints.sample_from_labels(y, n_pairs, random_state=0)
    known = PairwiseConstraints.from_labels(y) if as_labels else pairs
    assert min(pairs.n_must_link, pairs.n_cannot_link) >= 20
    shuffled = np.random.RandomState(1).permutation(y)
    many = np.random.RandomState(0).randint(20, size=1000)
    half_right = np.where(np.arange(300) < 150, y, shuffled)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for labels in (y, (y + 1) % 3, half_right):
            warn_of_violated(known, labels)
        # Most of what is called a must-link is none.
        wrong = PairwiseConstraints.sample_from_labels(
            many, 3000, noise=0.3, random_state=0
        )
        warn_of_violated(wrong, many)
        # Too few to tell.
        warn_of_violated(known[:8], shuffled[:8])
    for labels in (np.zeros(300, dtype=int), np.arange(300)):
        with pytest.warns(UserWarning, match="no more than clusters drawn at random"):
            warn_of_violated(known, labels)


def test_auto_warns_where_cannot_links_may_be_too_few():
    X, y = make_blobs(240, n_features=8, centers=24, random_state=0)
    scarce = PairwiseConstraints.sample_from_labels(y, 120, random_state=0)
    with pytest.warns(UserWarning, match="could tell 17 apart") as caught:
        fitted = small("auto").fit(X, scarce)
    assert caught[0].filename == __file__
    assert 8 < fitted.n_clusters_ <= 17


def test_auto_is_silent_where_every_two_clusters_are_told_apart():
    X, y = make_blobs(240, n_features=8, centers=8, random_state=0)
    firsts = np.unique(y, return_index=True)[1]
    clique = PairwiseConstraints([], list(combinations(firsts, 2)), n_samples=240)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert small("auto").fit(X, clique).n_clusters_ > 4


def test_auto_is_silent_where_cannot_links_are_many(iris):
    pairs = PairwiseConstraints.sample_from_labels(iris[1], 300, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert small("auto").fit(iris[0], pairs).n_clusters_ < 10


def test_html_links_to_the_reference(fitted):
    page = "skpairclust.ConstrainedNeuralClusterer.html"
    assert page in fitted._repr_html_()


def test_verbose_prints_a_line_an_epoch(iris, iris_pairs, capsys):
    small(max_iter=3, verbose=1).fit(iris[0], iris_pairs)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "epoch 3/3" in lines[-1]
    assert "loss" in lines[-1]
    small(max_iter=3).fit(iris[0], iris_pairs)
    assert not capsys.readouterr().out


class TestDefaultNumberOfClusters:
    """None is what labels say, or else as many as KMeans has."""

    @pytest.mark.parametrize("n_classes", [2, 4, 11])
    def test_labels_say_how_many(self, n_classes):
        X = np.random.RandomState(0).randn(60, 3)
        y = np.arange(60) % n_classes
        for known in (y, np.where(np.arange(60) < 40, y, -1)):
            fitted = ConstrainedNeuralClusterer(max_iter=1).fit(X, known)
            assert fitted.predict_proba(X).shape == (60, n_classes)

    def test_pairs_do_not(self, iris, iris_pairs):
        fitted = ConstrainedNeuralClusterer(max_iter=1).fit(iris[0], iris_pairs)
        assert fitted.predict_proba(iris[0]).shape == (150, 8)
        fitted = ConstrainedNeuralClusterer(max_iter=1).fit(iris[0][:5])
        assert fitted.predict_proba(iris[0]).shape == (150, 5)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_names_of_classes_are_what_numbers_are(weight, iris):
    X, y = iris
    names = np.array(["x", "y", "z"], dtype=object)[y]
    names[::3] = None
    numbers = np.where(np.arange(150) % 3, y, -1)
    expected, found = (
        small(classification_weight=weight).fit(X, known) for known in (numbers, names)
    )
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
