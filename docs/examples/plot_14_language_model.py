"""
A language model answers
========================

A language model is asked which messages are about the same topic. One call that offers
several candidates says as much as several calls about pairs. Some answers are wrong.
"""

# %%
# Messages to a help desk, made up of words about one of six topics and of small talk
# in one of two manners, which k-means would rather split.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline

from skpairclust import ConstrainedNeuralClusterer
from skpairclust.active import ActivePairLearner
from skpairclust.inspection import ActiveCurveDisplay

matters = {
    "invoice": "invoice amount charged card refund payment tax total bill price",
    "delivery": "parcel courier late address deliver track lost door box arrived",
    "login": "password account locked email login reset code username token signin",
    "device": "battery screen broken charger noise heat button device repair warranty",
    "booking": "seat flight date change cancel ticket trip hotel room passport",
    "feedback": "praise complaint rating review friendly rude staff survey star",
}
manners = [
    "hello please kindly thank you regards would like could sincerely".split(),
    "hey asap now seriously again come on fix this thing quick".split(),
]
topics = {word: topic for topic, words in matters.items() for word in words.split()}
rng = np.random.default_rng(0)
names = list(matters)
truth, manner = rng.integers(6, size=600), rng.integers(2, size=600)
texts = [
    " ".join([*rng.choice(matters[names[t]].split(), 4), *rng.choice(manners[m], 6)])
    for t, m in zip(truth, manner, strict=True)
]
X = make_pipeline(TfidfVectorizer(), TruncatedSVD(30, random_state=0)).fit_transform(
    texts
)
print(texts[0])

# %%
# With a service, the call looks like this:
#
# .. code-block:: python
#
#    def ask_model(prompt):
#        reply = client.chat.completions.create(
#            model="gpt-4o-mini", messages=[{"role": "user", "content": prompt}]
#        )
#        return reply.choices[0].message.content
#
# Here, a rule that reads the prompt takes the place of the service: it looks for words
# that it knows, and in one call of 20 it answers at random.
calls = []


def ask_model(prompt):
    calls.append(prompt)
    message, *candidates = [line.split(": ")[1] for line in prompt.splitlines()[1:]]
    about = [max(map(topics.get, text.split()), key=bool) for text in candidates]
    replies = [*map(str, range(1, len(candidates) + 1)), "none"]
    if rng.random() < 0.05:
        return str(rng.choice(replies))
    mine = max(map(topics.get, message.split()), key=bool)
    return str(about.index(mine) + 1) if mine in about else "None."


# %%
# Whatever else than a number or none comes back is None: it cannot tell.
def choose(question):
    candidates = "\n".join(
        f"{number}: {texts[row]}" for number, row in enumerate(question.candidates, 1)
    )
    prompt = (
        "Which message has the topic of this one? Answer with its number or none.\n"
        f"message: {texts[question.sample]}\n{candidates}"
    )
    choices = {str(place + 1): place for place in range(len(question.candidates))}
    return (choices | {"none": -1}).get(ask_model(prompt).strip(" .").lower())


learner = ActivePairLearner(
    ConstrainedNeuralClusterer(6, max_iter=20),
    refit={"max_iter": 10, "warm_start": True},
    n_init=1,
    random_state=0,
).start(X)
while len(calls) < 60:
    questions = learner.ask_groups(5, n_groups=5)
    learner.tell_groups(questions, [choose(question) for question in questions])
learner.update()
print(calls[-1])

# %%
# 60 calls have told more than 60 pairs.
print(learner.progress())
print(f"{learner.constraints_.n_pairs} pairs from {len(calls)} calls")
plain = KMeans(6, n_init=10, random_state=0).fit_predict(X)
for name, labels in (("KMeans", plain), ("60 calls", learner.labels_)):
    print(f"{name}: adjusted Rand index {adjusted_rand_score(truth, labels):.3f}")

# %%
# Without labels, too, one sees when more calls would change little.
ActiveCurveDisplay.from_estimator(learner)
plt.show()
