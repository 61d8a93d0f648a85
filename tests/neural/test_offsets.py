"""Values that float32 cannot compute with: refused, or brought near."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from skpairclust import ConstrainedNeuralClusterer, MetricEmbedder, PairwiseConstraints
from skpairclust.neural._lazy_rows import LazyRows
from skpairclust.neural._offsets import check_values, find_offset, subtract_offset

FAST = {"max_iter": 3, "hidden_layer_sizes": (8,), "random_state": 0}
BAD = {
    "nan": np.nan,
    "inf": np.inf,
    "beyond float32": 1e39,
    "the lowest float32": float(np.finfo(np.float32).min),
    "a square beyond float32": -3e25,
}


class Indexable:
    """Only single rows, as of a folder of files."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, row):
        return self.rows[int(row)]


class OnDisk(Indexable):
    """Like an array of h5py or zarr: rows and slices, and all of it if it must be."""

    def __init__(self, rows):
        super().__init__(rows)
        self.shape, self.dtype, self.ndim = rows.shape, rows.dtype, rows.ndim
        self.n_read = 0

    def __getitem__(self, rows):
        values = self.rows[rows]
        self.n_read = max(self.n_read, np.size(values))
        return values

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the whole data set was read")


def as_memmap(X, dtype, folder):
    np.save(folder / "X.npy", X.astype(dtype))
    return np.load(folder / "X.npy", mmap_mode="r")


FORMS = {
    "list": lambda X, _: X.tolist(),
    "float64": lambda X, _: X,
    "float32": lambda X, _: X.astype(np.float32),
    "big-endian": lambda X, _: X.astype(">f8"),
    "csr": lambda X, _: sparse.csr_matrix(X),
    "csr array": lambda X, _: sparse.csr_array(X),
    "csc": lambda X, _: sparse.csc_matrix(X),
    "indexable": lambda X, _: Indexable(X),
    "on disk": lambda X, _: OnDisk(X),
    "memory map": lambda X, folder: as_memmap(X, "f8", folder),
    "memory map, float32": lambda X, folder: as_memmap(X, "f4", folder),
    "memory map, float16": lambda X, folder: as_memmap(X, "f2", folder),
    "memory map, big-endian": lambda X, folder: as_memmap(X, ">f8", folder),
}


@pytest.fixture(scope="module")
def data():
    y = np.arange(60) % 3
    return np.random.RandomState(0).randn(60, 3) + 4 * np.eye(3)[y], y


@pytest.fixture(scope="module", params=[ConstrainedNeuralClusterer, MetricEmbedder])
def fitted(request, data):
    return request.param(3, **FAST).fit(*data)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_X_is_checked_alike(form, bad, data, fitted, tmp_path):
    X = data[0].copy()
    X[7, 1] = BAD[bad]
    given = FORMS[form](X, tmp_path)
    for call in (fitted.transform, lambda X: type(fitted)(3, **FAST).fit(X, data[1])):
        with pytest.raises(ValueError, match=r"X\[7\].*(impute|StandardScaler)"):
            call(given)


@pytest.mark.parametrize("kind", [ConstrainedNeuralClusterer, MetricEmbedder])
@pytest.mark.parametrize("scale", [1e-6, 1e-30])
def test_values_that_hardly_vary_are_warned_of(kind, scale, data):
    X, y = data
    message = f"e-{-round(np.log10(scale)):02d} at most"
    with pytest.warns(UserWarning, match=message) as caught:
        kind(3, **FAST).fit(1 + scale * X if scale > 1e-9 else scale * X, y)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_offset(0.01 * X)
        find_offset(np.ones((9, 2)))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_X_gives_the_same_answer(form, data, fitted, tmp_path):
    X = data[0].astype(np.float16).astype(np.float64)
    found = fitted.transform(FORMS[form](X, tmp_path))
    np.testing.assert_allclose(found, fitted.transform(X), atol=1e-5)


def test_the_error_names_the_row_that_was_asked_for(data):
    X = data[0].copy()
    X[41, 2] = 1e30
    with pytest.raises(ValueError, match=r"X\[41\] holds 1e\+30.*StandardScaler"):
        check_values(X)
    with pytest.raises(ValueError, match=r"X\[41\] holds 1e\+30"):
        check_values(sparse.csr_matrix(X))
    for source in (Indexable(X), OnDisk(X)):
        with pytest.raises(ValueError, match=r"X\[41\] holds 1e\+30"):
            LazyRows(source)[np.array([3, 41, 5])]
        with pytest.raises(ValueError, match=r"X\[41\] holds 1e\+30"):
            LazyRows(source)[30:50]


def test_a_network_that_answers_no_number_is_an_error(data):
    fitted = ConstrainedNeuralClusterer(3, **FAST).fit(*data)
    name = next(iter(fitted.weights_))
    fitted.weights_ = {**fitted.weights_, name: fitted.weights_[name] * np.nan}
    fitted.__dict__.pop("_network")
    for method in (fitted.predict, fitted.predict_proba, fitted.transform):
        with pytest.raises(ValueError, match=r"output for X\[0\] is not finite"):
            method(data[0])


def test_arrays_on_disk_are_read_by_the_batch():
    rng = np.random.RandomState(0)
    X, y = rng.randn(6000, 5), np.arange(6000) % 3
    for estimator in (ConstrainedNeuralClusterer(3, **FAST), MetricEmbedder(3, **FAST)):
        source = OnDisk(X)
        estimator.set_params(max_iter=1).fit(source, y)
        assert 0 < source.n_read <= 2048 * 5


@pytest.mark.parametrize("offset", [1e4, 1.76e9, -5.5e6, 1.7e12])
@pytest.mark.parametrize("form", ["float64", "int64", "indexable", "frame"])
def test_groups_far_from_0_are_told_apart(offset, form):
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], 100)
    X = np.round(offset + 60 * y[:, None] + 3 * rng.randn(200, 2))
    if form == "int64":
        X = X.astype(np.int64)
    elif form == "indexable":
        X = Indexable(X)
    elif form == "frame":
        X = pytest.importorskip("pandas").DataFrame(X, columns=["start", "end"])
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    clusterer = ConstrainedNeuralClusterer(2, max_iter=15, random_state=0)
    assert adjusted_rand_score(y, clusterer.fit(X, pairs).labels_) > 0.95
    np.testing.assert_array_equal(clusterer.predict(X), clusterer.labels_)
    embedder = MetricEmbedder(2, n_clusters=2, max_iter=15, random_state=0)
    assert adjusted_rand_score(y, embedder.fit(X, pairs).labels_) > 0.95


def test_one_constant_feature_far_away_does_not_drown_the_others(data):
    X, y = data
    far = np.column_stack([X, np.full(len(X), 1e7)])
    pairs = PairwiseConstraints.sample_from_labels(y, 100, random_state=0)
    clusterer = ConstrainedNeuralClusterer(3, max_iter=15, random_state=0)
    assert adjusted_rand_score(y, clusterer.fit(far, pairs).labels_) > 0.9


def test_what_lies_near_0_stays_as_it_is(data):
    X = data[0]
    assert find_offset(X) is None and find_offset(X + 100) is None
    assert find_offset(np.zeros((5, 2))) is None
    assert find_offset(np.full((5, 2), 3.0)) is None
    assert subtract_offset(X, None) is X
    offset = find_offset(X + [0, 1e6, 0])
    assert offset[0] == offset[2] == 0 and offset[1] == pytest.approx(1e6, abs=5)
    rows = subtract_offset(X + [0, 1e6, 0], offset)
    expected = X + [0, 1e6, 0] - offset
    np.testing.assert_allclose(rows[10:20], expected[10:20], atol=1e-6)
    np.testing.assert_allclose(rows[np.array([5, 3])], expected[[5, 3]], atol=1e-6)


def test_values_that_were_rounded_before_are_told():
    X = 1.76e9 + 60 * np.random.RandomState(0).randn(50, 2)
    with pytest.warns(UserWarning, match="rounded away. Pass X as float64"):
        find_offset(X.astype(np.float32))


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
def test_repeated_entries_of_sparse_X_add_up(kind):
    rng = np.random.RandomState(0)
    words, y = rng.choice(8, 480), np.arange(40) % 3
    X = kind((np.ones(480), words, np.arange(0, 481, 12)), shape=(40, 8))
    for estimator in (ConstrainedNeuralClusterer(3, **FAST), MetricEmbedder(3, **FAST)):
        expected = estimator.fit(kind(X.toarray()), y).transform(X.toarray())
        np.testing.assert_array_equal(estimator.fit(X, y).transform(X), expected)
    assert not X.has_canonical_format and X.nnz == 480
