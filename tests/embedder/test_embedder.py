"""MetricEmbedder: what it learns, keeps and promises."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skpairclust import MetricEmbedder, PairwiseConstraints
from skpairclust.embedder._objective import EmbeddingObjective
from skpairclust.embedder._task import make_task
from skpairclust.neural._heads import split_head
from skpairclust.neural._rows import FeatureRows

LOSSES = [
    "triplet",
    "squared_triplet",
    "ratio_triplet",
    "soft_triplet",
    "lifted",
    "lifted_max",
    "contrastive",
    "hinge_embedding",
]


def small(n_components=8, **changed):
    """Return an embedder that trains in a moment."""
    fast = {"hidden_layer_sizes": (32,), "max_iter": 15, "random_state": 0}
    return MetricEmbedder(n_components, **(fast | changed))


def two_faced(n=240, n_classes=6, seed=0):
    """Return rows whose class shows in the 4 quiet ones of 8 features, and classes."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % n_classes
    signal = 2 * np.random.RandomState(99).randn(n_classes, 4)[y]
    noise = 8 * rng.randn(n, 4)
    return np.column_stack([signal + 0.3 * rng.randn(n, 4), noise]), y


@pytest.fixture(scope="module")
def data():
    return (*two_faced(), *two_faced(seed=1))


@pytest.fixture(scope="module")
def fitted(data):
    X, y, _, _ = data
    return small(n_clusters=6).fit(X, y)


def recall_at_1(Z, y):
    nearest = NearestNeighbors(n_neighbors=1).fit(Z).kneighbors(return_distance=False)
    return np.mean(y[nearest[:, 0]] == y)


class TestLearning:
    @pytest.mark.parametrize("loss", LOSSES)
    def test_every_loss_beats_the_raw_features(self, data, loss):
        X, y, X_new, y_new = data
        embedder = small(loss=loss, batch_size=96).fit(X, y)
        assert embedder.score(X_new, y_new) > recall_at_1(X_new, y_new) + 0.3

    @pytest.mark.parametrize(
        "options",
        [
            {"mining": "all"},
            {"mining": "hardest"},
            {"mining": "semihard"},
            {"mining": "random"},
            {"mining": "violating"},
            {"mining": "violating", "loss": "ratio_triplet"},
            {"mining": "pool", "pool_epochs": 2},
            {"mining": "pool", "pool": "violating", "pool_epochs": 2},
            {"mining": "pool", "pool": "semihard", "pool_epochs": 2},
            {"mining": "pool", "pool": "kmeans", "pool_epochs": 2},
            {"mining": "pool", "pool": "random"},
            {"swap": True},
            {"mining": "hardest", "swap": True},
            {"mining": "pool", "swap": True},
            {"positive_percentile": 50},
            {"sampling": "hard", "pool_epochs": 2},
            {"sampling": "hard", "loss": "lifted"},
            {"reduction": "mean"},
            {"normalize": False},
            {"normalize": True, "loss": "lifted"},
            {"normalize": True, "loss": "lifted_max"},
            {"dropout": 0.2},
            {"initial_weights": "torch7"},
            {"optimizer": "sgd", "learning_rate": 0.1},
        ],
        ids=str,
    )
    def test_every_way_to_mine_beats_the_raw_features(self, data, options):
        X, y, X_new, y_new = data
        embedder = small(batch_size=48, **options).fit(X, y)
        assert embedder.score(X_new, y_new) > recall_at_1(X_new, y_new) + 0.25

    @pytest.mark.parametrize("loss", ["triplet", "lifted", "contrastive"])
    def test_pairs_do_as_well_as_labels(self, data, loss):
        X, y, X_new, y_new = data
        pairs = PairwiseConstraints.sample_from_labels(
            y, 1200, balanced=True, random_state=0
        )
        from_pairs = small(loss=loss, batch_size=96).fit(X, pairs)
        assert from_pairs.score(X_new, y_new) > recall_at_1(X_new, y_new) + 0.3

    def test_few_pairs_that_join_no_class(self, data):
        """Components of two or three, most pairs of them unknown."""
        X, y, X_new, y_new = data
        pairs = PairwiseConstraints.sample_from_labels(y, 150, random_state=0)
        embedder = small().fit(X, pairs)
        assert embedder.score(X_new, y_new) > recall_at_1(X_new, y_new) + 0.2

    def test_forms_of_supervision_agree(self, data):
        X, y, _, _ = data
        rows = np.arange(0, 240, 3)
        X, y = X[rows], y[rows]
        pairs = PairwiseConstraints.sample_from_labels(y, 300, random_state=0)
        triples = np.concatenate(
            [
                np.column_stack([links, np.full(len(links), r)])
                for links, r in ((pairs.must_link, 1), (pairs.cannot_link, -1))
            ]
        )
        expected = small(max_iter=2).fit(X, pairs).embedding_
        for form in (triples, pairs.to_matrix(), pairs.to_matrix().toarray()):
            np.testing.assert_array_equal(
                small(max_iter=2).fit(X, form).embedding_, expected
            )
        arrays = {"must_link": pairs.must_link, "cannot_link": pairs.cannot_link}
        np.testing.assert_array_equal(
            small(max_iter=2).fit(X, **arrays).embedding_, expected
        )

    def test_unlabeled_rows_change_nothing_but_their_own_embedding(self, data):
        X, y, _, _ = data
        partial = np.where(np.arange(240) % 2, y, -1)
        all_rows = small(max_iter=3).fit(X, partial)
        labeled = small(max_iter=3).fit(X[1::2], y[1::2])
        np.testing.assert_allclose(
            all_rows.embedding_[1::2], labeled.embedding_, atol=1e-6
        )

    def test_own_pretrained_network_with_a_slow_trunk(self, data):
        X, y, _, _ = data
        trunk = nn.Linear(8, 16)
        before = trunk.weight.detach().clone()

        def pretrained(input_shape, n_outputs):
            copy = nn.Linear(8, 16)
            copy.load_state_dict(trunk.state_dict())
            return nn.Sequential(copy, nn.ReLU(), nn.Linear(16, n_outputs))

        embedder = small(
            network=pretrained,
            learning_rate=1e-7,
            head_learning_rate_multiplier=1e5,
            max_iter=20,
        ).fit(X, y)
        assert np.abs(embedder.weights_["0.weight"] - before.numpy()).max() < 1e-4
        head = pretrained((8,), 8)[2].weight.detach().numpy()
        assert np.abs(embedder.weights_["2.weight"] - head).max() > 0.01

    def test_head_and_trunk_are_all_parameters(self):
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
        trunk, head = split_head(network, 10.0)
        assert [len(trunk["params"]), len(head["params"])] == [4, 2]
        assert head["multiplier"] == 10 and trunk["multiplier"] == 1
        assert len(split_head(nn.Linear(3, 2), 10.0)) == 1

    @pytest.mark.parametrize("network", ["lenet", "conv"])
    def test_images(self, network):
        rng = np.random.RandomState(0)
        y = np.arange(48) % 3
        X = 0.3 * rng.rand(48, 16, 16)
        for c in range(3):
            X[y == c, 5 * c : 5 * c + 5] += 1
        embedder = small(network=network, augment="affine", max_iter=8).fit(X, y)
        assert embedder.score(X, y) > 0.9
        flat = small(network=network, input_shape=(1, 16, 16), max_iter=1)
        assert flat.fit(X.reshape(48, -1), y).transform(X.reshape(48, -1)).shape == (
            48,
            8,
        )

    def test_own_augmentation_is_seeded(self, data):
        X, y, _, _ = data

        def noisy(x, generator):
            return x + torch.randn(x.shape, generator=generator)

        plain, first, second = (
            small(augment=augment, max_iter=2).fit(X, y).embedding_
            for augment in (None, noisy, noisy)
        )
        np.testing.assert_array_equal(first, second)
        assert np.abs(first - plain).max() > 1e-3

    @pytest.mark.parametrize("kind", ["classes", "few classes", "pairs"])
    def test_validation_keeps_the_best_epoch(self, data, kind):
        X, y, _, _ = data
        if kind == "few classes":
            y = y % 2
        if kind == "pairs":
            y = PairwiseConstraints.sample_from_labels(
                y, 1500, balanced=True, random_state=0
            )
        embedder = small(
            validation_fraction=0.4, n_iter_no_change=3, max_iter=12, tol=0
        ).fit(X, y)
        scores = embedder.validation_scores_
        assert len(scores) == embedder.n_iter_ == len(embedder.loss_curve_)
        assert all(0 <= score <= 1 for score in scores)
        best = int(np.argmax(scores))
        assert embedder.loss_ == embedder.loss_curve_[best]
        assert embedder.n_iter_ <= 12
        assert embedder.n_iter_ == 12 or len(scores) - 1 - best >= 3

    def test_without_validation_the_last_epoch_counts(self, data, fitted):
        assert fitted.validation_scores_ == []
        assert fitted.loss_ == fitted.loss_curve_[-1]


class TestFittedState:
    def test_embeddings(self, data, fitted):
        X, y, X_new, _ = data
        Z = fitted.transform(X)
        np.testing.assert_array_equal(Z, fitted.embedding_)
        assert Z.dtype == np.float32 and Z.shape == (240, 8)
        np.testing.assert_allclose(np.linalg.norm(Z, axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(
            fitted.transform(X_new[:1]), fitted.transform(X_new)[:1]
        )
        free = small(normalize=False, max_iter=2).fit(X, y).transform(X)
        assert np.ptp(np.linalg.norm(free, axis=1)) > 0.01
        assert list(fitted.get_feature_names_out()) == [
            f"metricembedder{i}" for i in range(8)
        ]
        named = clone(fitted).set_output(transform="pandas").fit(X, y).transform(X)
        assert isinstance(named, pd.DataFrame)
        assert "MetricEmbedder" in fitted._repr_html_()

    def test_neighbors_are_those_of_scikit_learn(self, data, fitted):
        _, _, X_new, _ = data
        index = NearestNeighbors(n_neighbors=3).fit(fitted.embedding_)
        distances, indices = index.kneighbors(fitted.transform(X_new))
        found = fitted.kneighbors(X_new, 3)
        np.testing.assert_allclose(found[0], distances, atol=1e-3)
        assert np.mean(found[1] == indices) > 0.99
        own = fitted.kneighbors(n_neighbors=4, return_distance=False)
        assert own.shape == (240, 4) and not (own == np.arange(240)[:, None]).any()

    def test_score_is_recall_at_1_or_auc(self, data, fitted):
        _, _, X_new, y_new = data
        Z = fitted.transform(X_new)
        assert fitted.score(X_new, y_new) == pytest.approx(recall_at_1(Z, y_new))
        pairs = PairwiseConstraints.sample_from_labels(y_new, 200, random_state=0)
        links = np.concatenate([pairs.must_link, pairs.cannot_link])
        is_must = np.arange(200) < pairs.n_must_link
        d = np.linalg.norm(Z[links[:, 0]] - Z[links[:, 1]], axis=1)
        assert fitted.score(X_new, pairs) == pytest.approx(roc_auc_score(is_must, -d))
        partial = np.where(np.arange(240) < 120, y_new, -1)
        assert fitted.score(X_new, partial) == pytest.approx(
            recall_at_1(Z[:120], y_new[:120])
        )

    def test_clusters(self, data, fitted):
        X, y, X_new, y_new = data
        np.testing.assert_array_equal(fitted.predict(X), fitted.labels_)
        assert set(fitted.labels_) <= set(range(6))
        assert fitted.cluster_centers_.shape == (6, 8)
        finer = small(n_clusters=6, clusters_per_class=3).fit(X, y)
        assert finer.cluster_centers_.shape == (18, 8)
        assert set(finer.labels_) == set(range(6))
        apart = small(n_clusters=6, clusters_per_class=3, merge_clusters=False)
        apart.fit(X, y)
        np.testing.assert_array_equal(apart.cluster_centers_, finer.cluster_centers_)
        assert set(apart.labels_) == set(range(18))
        np.testing.assert_array_equal(apart.predict(X), apart.labels_)
        one = small(n_clusters=1, clusters_per_class=2, max_iter=1).fit(X, y)
        assert not one.predict(X_new).any()
        without = small(max_iter=1).fit(X, y)
        assert not hasattr(without, "predict") and not hasattr(without, "labels_")
        # Its cause says what to do.
        with pytest.raises(AttributeError) as error:
            _ = without.predict
        assert "n_clusters" in str(error.value.__cause__)

    def test_fit_predict(self, data, fitted):
        X, y, _, _ = data
        embedder = small(n_clusters=6)
        np.testing.assert_array_equal(embedder.fit_predict(X, y), fitted.labels_)
        pipeline = make_pipeline(StandardScaler(), small(n_clusters=6, max_iter=2))
        links = {"must_link": [(0, 6)], "cannot_link": [(0, 1)]}
        by_name = {f"metricembedder__{kind}": pairs for kind, pairs in links.items()}
        labels = pipeline.fit_predict(X, **by_name)
        np.testing.assert_array_equal(labels, pipeline[-1].labels_)
        # The next fit counts, not the last one.
        assert not hasattr(embedder.set_params(n_clusters=None), "fit_predict")
        assert hasattr(embedder, "predict")

    def test_a_seed_means_something_and_global_state_is_left_alone(self, data):
        X, y, _, _ = data
        torch.manual_seed(0)
        before = torch.get_rng_state()
        first, second, other = (
            small(random_state=seed, mining="random", max_iter=3).fit(X, y).embedding_
            for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, second)
        assert np.abs(first - other).max() > 1e-3
        assert torch.equal(before, torch.get_rng_state())

    def test_pickle_keeps_no_module(self, data, fitted):
        X = data[0]
        assert b"torch" not in pickle.dumps(fitted)
        loaded = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(loaded.transform(X), fitted.embedding_)
        np.testing.assert_array_equal(loaded.predict(X), fitted.labels_)

    def test_save_and_load(self, data, fitted, tmp_path):
        X = data[0]
        fitted.save(tmp_path / "model.safetensors")
        loaded = MetricEmbedder.load(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(loaded.transform(X), fitted.embedding_)
        np.testing.assert_array_equal(loaded.predict(X), fitted.labels_)
        np.testing.assert_array_equal(loaded.kneighbors(X)[1], fitted.kneighbors(X)[1])
        assert loaded.get_params() == fitted.get_params()

    def test_convolutions_are_saved_as_they_are(self, tmp_path):
        """Their weights lie in memory in another order than their axes."""
        X = np.random.RandomState(0).rand(24, 16, 16)
        embedder = small(network="conv", max_iter=1).fit(X, np.arange(24) % 3)
        embedder.save(tmp_path / "model.safetensors")
        loaded = MetricEmbedder.load(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(loaded.transform(X), embedder.embedding_)
        unpickled = pickle.loads(pickle.dumps(embedder))
        np.testing.assert_array_equal(unpickled.transform(X), embedder.embedding_)

    def test_warm_start_goes_on(self, data):
        X, y, _, _ = data
        embedder = small(max_iter=10, warm_start=True).fit(X, y)
        first = embedder.loss_curve_
        assert embedder.fit(X, y).loss_curve_[0] < first[0]


class TestInput:
    def test_sparse_and_float32_and_dense_agree(self, data):
        X, y, _, _ = data
        X = np.where(np.abs(X) > 2, X, 0)
        expected = small(max_iter=3).fit(X, y).embedding_
        for form in (sparse.csr_array(X), sparse.csr_matrix(X), X.astype(np.float32)):
            found = small(max_iter=3).fit(form, y)
            np.testing.assert_allclose(found.embedding_, expected, atol=1e-4)
            np.testing.assert_allclose(found.transform(X), expected, atol=1e-4)

    def test_memory_maps_and_indexables_are_read_by_the_batch(self, tmp_path):
        rng = np.random.RandomState(0)
        images = rng.randint(256, size=(60, 8, 8)).astype(np.uint8)
        y = np.arange(60) % 3
        np.save(tmp_path / "images.npy", images)
        mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
        expected = small(max_iter=3).fit(images.astype(np.float32), y)

        class Folder:
            longest = 0

            def __len__(self):
                return len(images)

            def __getitem__(self, row):
                assert isinstance(row, int)
                return images[row]

        for lazy in (mapped, Folder()):
            found = small(max_iter=3).fit(lazy, y)
            np.testing.assert_array_equal(found.embedding_, expected.embedding_)
            np.testing.assert_array_equal(found.transform(lazy), found.embedding_)
            assert found.n_features_in_ == expected.n_features_in_
            assert found.score(lazy, y) == expected.score(images, y)
        with pytest.raises(ValueError, match=r"samples of shape \(8, 4\)"):
            found.transform(mapped[:, :, :4])

    def test_bad_indexables_say_which_sample_is_wrong(self):
        class Rows:
            def __init__(self, rows):
                self.rows = rows

            def __len__(self):
                return len(self.rows)

            def __getitem__(self, row):
                return self.rows[row]

        y = [0, 0, 1, 1]
        good = [np.ones(3)] * 3
        with pytest.raises(ValueError, match=r"X\[3\] has shape \(2,\)"):
            small().fit(Rows([*good, np.ones(2)]), y)
        with pytest.raises(ValueError, match=r"contains .*X\[3\]"):
            small().fit(Rows([*good, np.full(3, np.nan)]), y)
        with pytest.raises(ValueError, match="must give an array"):
            small().fit(Rows([1.0, 2.0]), [0, 1])
        with pytest.raises(ValueError, match="minimum of 2"):
            small().fit(Rows(good[:1]), [0])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"margin": 0}, "'margin' parameter"),
            ({"margin": -1.0}, "'margin' parameter"),
            ({"positive_percentile": 0}, "'positive_percentile' parameter"),
            ({"positive_percentile": 101}, "'positive_percentile' parameter"),
            ({"n_components": 0}, "'n_components' parameter"),
            ({"samples_per_class": 1}, "'samples_per_class' parameter"),
            ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
            (
                {"batch_size": 7, "samples_per_class": 4},
                "batch_size=7 cannot hold two classes with samples_per_class=4",
            ),
            ({"n_iter_no_change": 3}, "n_iter_no_change=3 needs a validation part"),
            ({"n_clusters": 241}, "n_clusters=241 times clusters_per_class=1"),
            ({"augment": "affine"}, "augment='affine' needs images"),
            ({"network": "conv"}, "network='conv' needs images"),
            ({"device": "nowhere"}, "device='nowhere' is not a torch device"),
            ({"learning_rate": 1e30, "optimizer": "sgd"}, "lower learning_rate=1e"),
        ],
    )
    def test_bad_parameters(self, data, options, message):
        X, y, _, _ = data
        with pytest.raises(ValueError, match=message):
            small(**{"normalize": False, **options}).fit(X, y)

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            (None, "requires y to be passed, but the target y is None"),
            (np.zeros(12, dtype=int), "needs cannot-links.*single class"),
            (np.full(12, -1), "needs must-links"),
            (np.arange(12), "needs must-links"),
            (
                PairwiseConstraints([(0, 1)], [(2, 3)], n_samples=12),
                "no sample that has both",
            ),
        ],
    )
    def test_nothing_to_compare(self, y, message):
        X = np.random.RandomState(0).randn(12, 3)
        with pytest.raises(ValueError, match=message):
            small().fit(X, y)

    @pytest.mark.parametrize(
        "options", [{"loss": "lifted"}, {"loss": "contrastive", "sampling": "hard"}]
    )
    def test_samples_with_both_kinds_are_missing(self, options):
        X = np.random.RandomState(0).randn(12, 3)
        pairs = PairwiseConstraints([(0, 1)], [(2, 3)], n_samples=12)
        with pytest.raises(ValueError, match="no sample that has both: loss="):
            small(**options).fit(X, pairs)

    def test_what_is_left_to_train_on_does_not_do(self):
        X = np.random.RandomState(0).randn(60, 3)
        must_link = [(2 * i, 2 * i + 1) for i in range(4)]
        cannot_link = [(0, 59), *((2 * i, 2 * i + 1) for i in range(5, 20))]
        pairs = PairwiseConstraints(must_link, cannot_link, n_samples=60)
        outcomes = set()
        for seed in range(20):
            embedder = small(max_iter=1, validation_fraction=0.5, random_state=seed)
            try:
                embedder.fit(X, pairs)
            except ValueError as error:
                assert "validation_fraction=0.5 leaves" in str(error)
                outcomes.add("no sample to train on" in str(error))
            else:
                outcomes.add(None)
        assert {None, True} <= outcomes

    def test_all_not_finite(self, data):
        X, y, _, _ = data
        embedder = small(learning_rate=1e30, optimizer="sgd")
        with pytest.raises(ValueError, match="non-finite in the first epoch"):
            embedder.fit(X, y)
        assert not hasattr(embedder, "weights_")

    def test_interrupt_leaves_a_usable_estimator_and_warns(self, data):
        X, y, _, _ = data
        calls = []

        class Interrupting(torch.nn.Linear):
            def forward(self, x):
                calls.append(1)
                if self.training and len(calls) == 30:
                    raise KeyboardInterrupt
                return super().forward(x)

        embedder = small(network=lambda shape, n: Interrupting(*shape, n))
        with pytest.warns(UserWarning, match="interrupted") as caught:
            embedder.fit(X, y)
        assert caught[0].filename == __file__
        assert embedder.transform(X).shape == (len(X), 8)

    def test_no_validation_part_with_both_kinds(self, data):
        X, y, _, _ = data
        pairs = PairwiseConstraints([(0, 6)], [(0, 1)], n_samples=240)
        with pytest.raises(ValueError, match=r"validation_fraction=0.2 leaves"):
            small(validation_fraction=0.2).fit(X, pairs)

    def test_a_class_with_one_sample(self, data):
        X, y, _, _ = data
        y = np.where(np.arange(240) == 0, 17, y)
        assert small().fit(X, y).score(X, y) > 0.8
        lonely = np.where(y == 1, 1, np.arange(240) + 2)
        embedder = small(max_iter=30).fit(X, lonely)
        pairs = PairwiseConstraints.from_labels(lonely)
        assert embedder.score(X, pairs) > 0.9

    @pytest.mark.parametrize("loss", LOSSES)
    def test_all_points_identical(self, loss):
        X, y = np.ones((20, 3)), np.arange(20) % 2
        with pytest.warns(UserWarning, match="embedding of all samples is one point"):
            embedder = small(loss=loss, max_iter=2).fit(X, y)
        assert np.isfinite(embedder.embedding_).all()

    def test_identical_points_in_a_pool_warn_once(self):
        X, y = np.ones((20, 3)), np.arange(20) % 4
        embedder = small(mining="pool", pool="kmeans", pool_epochs=1, max_iter=2)
        with pytest.warns(UserWarning) as caught:
            embedder.fit(X, y)
        assert [str(w.message)[:13] for w in caught] == ["The embedding"]

    def test_the_smallest_batches(self, data):
        """Two classes of two in each; a single component is no sign."""
        X, y, X_new, y_new = data
        embedder = small(1, batch_size=4, samples_per_class=2, max_iter=3).fit(X, y)
        assert embedder.transform(X_new).shape == (240, 1)
        assert len(np.unique(embedder.embedding_)) > 100

    def test_contradictions_warn_and_only_given_pairs_count(self, data):
        X = data[0]
        pairs = PairwiseConstraints([(0, 6), (6, 12)], [(0, 12), (0, 1)], n_samples=240)
        with pytest.warns(UserWarning, match="contradict"):
            embedder = small(max_iter=2).fit(X, pairs)
        assert np.isfinite(embedder.embedding_).all()

    def test_a_failed_fit_leaves_the_earlier_one(self, data, fitted):
        X, y, _, _ = data
        embedder = pickle.loads(pickle.dumps(fitted))
        with pytest.raises(ValueError, match="samples of a single|single class"):
            embedder.fit(X[:, :5], np.zeros(240, dtype=int))
        np.testing.assert_array_equal(embedder.transform(X), fitted.embedding_)
        assert embedder.n_features_in_ == 8

    def test_score_needs_both_kinds(self, data, fitted):
        X = data[0]
        for y in (None, PairwiseConstraints([(0, 1)], [], n_samples=240)):
            with pytest.raises(ValueError, match="score needs"):
                fitted.score(X, y)


class TestInsideScikitLearn:
    def test_pipeline_and_search_with_labels_and_pairs(self, data):
        X, y, _, _ = data
        pairs = PairwiseConstraints.sample_from_labels(y, 3000, random_state=0)
        folds = KFold(2, shuffle=True, random_state=0)
        for known in (y, pairs):
            search = GridSearchCV(
                make_pipeline(StandardScaler(), small(max_iter=4)),
                {"metricembedder__loss": ["triplet", "contrastive"]},
                cv=folds,
                error_score="raise",
            ).fit(X, known)
            assert search.best_score_ > 0.5
            assert search.transform(X).shape == (240, 8)
        classifier = make_pipeline(small(), KNeighborsClassifier(3))
        assert cross_val_score(classifier, X, y, cv=3).mean() > 0.8

    def test_verbose_prints_epochs(self, data, capsys):
        X, y, _, _ = data
        small(verbose=1, max_iter=2).fit(X, y)
        assert "epoch 2/2" in capsys.readouterr().out

    def test_callbacks_see_each_epoch_and_can_stop(self, data):
        pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
        X, y, _, _ = data
        scores = []

        class Scorer:
            def setup(self, estimator, context):
                pass

            teardown = on_fit_task_begin = setup

            def on_fit_task_end(
                self, estimator, context, *, fitted_estimator=None, X=None
            ):
                if context.task_name == "epoch":
                    scores.append(fitted_estimator.score(X, y))
                return len(scores) == 4

        embedder = small(max_iter=9).set_callbacks(Scorer()).fit(X, y)
        assert embedder.n_iter_ == len(scores) == 4
        assert scores[-1] == pytest.approx(embedder.score(X, y))
        assert scores[-1] > scores[0]


def test_unknown_pairs_are_no_part_of_the_loss(data):
    """Steps see only relations that follow from the pairs."""
    X, y, _, _ = data
    pairs = PairwiseConstraints.sample_from_labels(y, 250, random_state=0)
    task = make_task(small(), X)
    rows = FeatureRows(X, (8,), torch.device("cpu"))
    objective = EmbeddingObjective(rows, pairs, task.objective, 0, np.arange(len(X)))
    closed = pairs.closure().to_matrix().toarray()
    for _ in range(5):
        batch = next(objective._batches)
        relation = objective.known.relation(batch.rows)
        np.testing.assert_array_equal(relation, closed[np.ix_(batch.rows, batch.rows)])
        assert (relation > 0).any() and (relation < 0).any()


@pytest.mark.parametrize("loss", ["contrastive", "hinge_embedding"])
def test_pairs_are_learned_though_no_sample_has_both_kinds(data, loss):
    X, y, X_new, y_new = data
    rows = np.random.RandomState(0).permutation(len(X)).reshape(-1, 2)
    same = y[rows[:, 0]] == y[rows[:, 1]]
    assert 10 < same.sum() < 40
    pairs = PairwiseConstraints(rows[same], rows[~same], n_samples=len(X))
    embedder = small(loss=loss, max_iter=40).fit(X, pairs)
    before = recall_at_1(X_new, y_new)
    assert recall_at_1(embedder.transform(X_new), y_new) > before + 0.15
    embedder.set_params(validation_fraction=0.25).fit(X, pairs)
    assert len(embedder.validation_scores_) == 40


@pytest.mark.parametrize(
    ("options", "from_labels", "from_pairs"),
    [
        ({}, "semihard", "all"),
        ({"loss": "squared_triplet"}, "semihard", "all"),
        ({"loss": "soft_triplet"}, "semihard", "semihard"),
        ({"mining": "hardest"}, "hardest", "hardest"),
    ],
    ids=str,
)
def test_what_is_mined_follows_from_what_is_known(
    data, options, from_labels, from_pairs
):
    X, y, _, _ = data
    pairs = PairwiseConstraints.sample_from_labels(y, 250, random_state=0)
    labels = PairwiseConstraints.from_labels(y)
    rows = FeatureRows(X, (8,), torch.device("cpu"))
    for known, expected in ((labels, from_labels), (pairs, from_pairs)):
        task = make_task(small(**options), X)
        objective = EmbeddingObjective(
            rows, known, task.objective, 0, np.arange(len(X))
        )
        assert objective.mining == expected


def test_fits_warn_of_nothing(data):
    X, y, _, _ = data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(max_iter=1).fit(X, y)


class TestNamesOfClasses:
    """Labels may be names, and missing ones are of no class."""

    @pytest.mark.parametrize("missing", [None, np.nan, "pd.NA"])
    def test_they_are_what_numbers_are(self, missing, iris):
        X, y = iris
        if missing == "pd.NA":
            missing = pytest.importorskip("pandas").NA
        is_known = np.arange(150) % 4 != 0
        numbers = np.where(is_known, y, -1)
        names = np.array(["a", "b", "c"], dtype=object)[y]
        names[~is_known] = missing
        expected, found = small().fit(X, numbers), small().fit(X, names)
        np.testing.assert_array_equal(found.embedding_, expected.embedding_)
        assert found.score(X, names) == expected.score(X, numbers)
