"""What newcomers write in their first hour, with four kinds of data of their own.

Each test is such a script. The fixtures write the files that people have already.
"""

import inspect

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image  # which matplotlib needs
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, StandardScaler

from skpairclust import (
    ConstrainedNeuralClusterer,
    MetricEmbedder,
    PairwiseConstraints,
)
from skpairclust.images import ImageFolder
from skpairclust.metrics import constraint_accuracy_score, purity_score


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# A table with ids, categories and missing values, and answers about pairs of ids


@pytest.fixture
def customers(folder):
    rng = np.random.default_rng(0)
    kind, n = rng.integers(3, size=300), 300
    ids = [f"C{number:04d}" for number in rng.permutation(9999)[:n]]
    region = rng.integers(4, size=n)
    table = pd.DataFrame(
        {
            "id": ids,
            "plan": np.where(rng.random(n) < 0.9, np.array(["a", "b", "b"])[kind], "c"),
            "region": np.array(["n", "e", "s", "w"])[region],
            "orders": rng.poisson(np.array([4, 5, 25])[kind]),
            "age": np.where(rng.random(n) < 0.1, np.nan, 30 + 10 * region),
        }
    )
    table.to_csv("customers.csv", index=False)
    pairs = PairwiseConstraints.sample_from_labels(kind, 250, random_state=0)
    answers = pairs.to_frame(ids).rename(columns={"left": "first", "right": "second"})
    answers["same"] = answers["same"].map({True: "same", False: "different"})
    answers.loc[len(answers)] = [ids[0], ids[1], "unsure", 1.0]
    answers.to_csv("answers.csv", index=False)


def test_table_with_ids(customers):
    table = pd.read_csv("customers.csv", index_col="id")
    answers = pd.read_csv("answers.csv")
    pairs = PairwiseConstraints.from_frame(answers, "first", "second", index=table)
    apart = np.arange(pairs.n_pairs) % 5 == 0

    features = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["orders", "age"]),
        (OneHotEncoder(handle_unknown="ignore"), ["plan", "region"]),
    )
    model = make_pipeline(features, ConstrainedNeuralClusterer(3, random_state=0))
    model.fit(table, pairs.subset(~apart))
    table["cluster"] = model.predict(table)
    print(pairs.violated(table["cluster"]).to_frame(table))

    kmeans = make_pipeline(features, KMeans(3, random_state=0)).fit_predict(table)
    ours = constraint_accuracy_score(pairs.subset(apart), table["cluster"])
    assert ours > constraint_accuracy_score(pairs.subset(apart), kmeans) + 0.1

    table["cluster"].to_csv("clusters.csv")
    joblib.dump(model, "model.joblib")
    loaded = joblib.load("model.joblib")
    again = pd.read_csv("clusters.csv", index_col="id")["cluster"]
    assert (loaded.predict(table) == again).all()


# Images in a folder, some of them sorted into folders by hand


@pytest.fixture
def photos(folder):
    images, digits = load_digits(return_X_y=True)
    for number, (pixels, digit) in enumerate(zip(images[:600], digits, strict=False)):
        # A quarter is sorted already.
        place = folder / "photos" / (f"{digit}" if number % 4 == 0 else "new")
        place.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray((pixels.reshape(8, 8) * 15).astype(np.uint8))
        image.resize((16, 16)).save(place / f"{digit}-{number}.png")


def test_images_from_a_folder(photos, folder):
    images = ImageFolder("photos", size=16, mode="gray")
    labels = [None if name == "new" else name for name in images.labels]

    embedder = MetricEmbedder(32, n_clusters=10, max_iter=15, random_state=0)
    clusters = embedder.fit_predict(images, labels)
    for file, cluster in zip(images.paths, clusters, strict=True):
        target = folder / "sorted" / str(cluster)
        target.mkdir(parents=True, exist_ok=True)
        (target / file.name).write_bytes(file.read_bytes())

    # The photos most like the first one, and how pure the new folders are.
    similar = embedder.kneighbors(images[:1], n_neighbors=5, return_distance=False)
    print([images.names[row] for row in similar[0]])
    digits = [file.name[0] for file in images.paths]
    assert purity_score(digits, clusters) > 0.85


# Sentences and their embeddings; a colleague said which ask for the same


@pytest.fixture
def sentences(folder):
    rng = np.random.default_rng(0)
    wishes = ["card lost stolen block", "transfer late pending money", "rate fee price"]
    small_talk = "please hello hi thanks could you my the i need".split()
    wish = rng.integers(3, size=300)
    texts = [
        " ".join([*rng.choice(wishes[w].split(), 2), *rng.choice(small_talk, 5)])
        for w in wish
    ]
    pd.DataFrame({"text": texts, "wish": wish}).to_csv("sentences.csv", index=False)


def test_sentences_with_embeddings(sentences):
    table = pd.read_csv("sentences.csv")
    texts = table["text"]
    # or, with a language model: SentenceTransformer(...).encode(texts)
    encode = make_pipeline(TfidfVectorizer(), TruncatedSVD(20, random_state=0))
    X = Normalizer().fit_transform(encode.fit_transform(texts))

    # A colleague compared sentences 0 and 1, 2 and 3, ...
    same = table["wish"].to_numpy()[0::2] == table["wish"].to_numpy()[1::2]
    compared = np.arange(300).reshape(-1, 2)
    model = ConstrainedNeuralClusterer(3, random_state=0)
    model.fit(X, must_link=compared[same], cannot_link=compared[~same])

    table["cluster"] = model.predict(X)
    table["sure"] = model.predict_proba(X).max(axis=1)
    for cluster, group in table.groupby("cluster"):
        print(cluster, group.nlargest(2, "sure")["text"].tolist())
    assert purity_score(table["wish"], table["cluster"]) > 0.9


# Tracks of a camera


@pytest.fixture
def tracks(folder):
    rng = np.random.default_rng(0)
    rows = []
    people = rng.normal(size=(4, 6)) * 2
    for scene in range(40):
        for person in rng.permutation(4)[:3]:
            look = people[person] + rng.normal(size=6)
            for frame in range(4):
                seen = look + rng.normal(size=6)
                name = f"{scene}-{person}"
                rows.append([name, 10 * scene + frame, person, *seen])
    columns = ["track", "frame", "person", *(f"f{k}" for k in range(6))]
    pd.DataFrame(rows, columns=columns).to_csv("tracks.csv", index=False)


def test_tracks(tracks):
    table = pd.read_csv("tracks.csv")
    X = StandardScaler().fit_transform(table.filter(regex="^f[0-9]"))
    # One track is one person; two tracks in one frame are two people.
    pairs = PairwiseConstraints.from_sequences(table["track"], times=table["frame"])
    print(pairs)

    table["cluster"] = ConstrainedNeuralClusterer(4, random_state=0).fit_predict(
        X, pairs
    )
    # One cluster per track: the one of most of its frames.
    of_track = table.groupby("track")["cluster"].agg(lambda c: c.mode()[0])
    of_track.to_csv("people.csv")

    person = table.groupby("track")["person"].first()
    assert purity_score(person, of_track) > 0.9


@pytest.mark.parametrize(
    "script",
    [
        test_table_with_ids,
        test_images_from_a_folder,
        test_sentences_with_embeddings,
        test_tracks,
    ],
)
def test_scripts_are_short(script):
    assert len(inspect.getsource(script).splitlines()) < 30
