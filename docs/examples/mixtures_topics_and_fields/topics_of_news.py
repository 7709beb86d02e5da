"""
Topics of news
==============

This page compares three topic models of 395 articles of Reuters: latent Dirichlet allocation,
probabilistic latent semantic analysis, and non-negative matrix factorisation with the
Kullback–Leibler loss, which has the same criterion as the second. Words that no model has seen
decide how many topics are enough.
"""

import matplotlib.pyplot as plt
import numpy as np
from lda.datasets import load_reuters, load_reuters_vocab
from scipy.sparse import csr_array
from sklearn.decomposition import NMF

from sklvm import LatentDirichletAllocation, ProbabilisticLatentSemanticAnalysis
from sklvm.plotting import TopicDisplay
from sklvm.topics import completion_perplexity

X = csr_array(load_reuters())
words = np.array(load_reuters_vocab())
order = np.random.default_rng(0).permutation(X.shape[0])
train, test = X[order[:316]], X[order[316:]]
print(f"{train.shape[0]} articles, {int(train.sum())} words, {train.shape[1]} different ones")

# %%
# Topics
# ------
# Twenty topics take a fraction of a second. The bars are p(word | topic).

model = LatentDirichletAllocation(20, max_iter=60, tol=0, random_state=0).fit(train)
coherence = model.coherence(train)
best = np.argsort(-coherence)[:10]
TopicDisplay.from_estimator(model, words, topics=best)
plt.show()

# %%
# These are the ten most coherent topics: their words occur in the same articles. ``transform`` says
# what a new article is about, while the topics stay fixed.

proportions = model.transform(test)
for document in proportions[:3]:
    topic = document.argmax()
    print(f"{document[topic]:.0%} of topic {topic}: {', '.join(model.top_words(words, 5)[topic])}")

# %%
# How many topics
# ---------------
# The words of each test article are put in random order. The first half says what the article is
# about, and the second half is predicted. The perplexity of the training articles only falls with
# the number of topics; the more it differs from that of the test articles, the more a model
# overfits.

numbers = [2, 5, 10, 20, 40, 80]
held_out, training = {}, {}
for name, make in {
    "collapsed variational Bayes": lambda k: LatentDirichletAllocation(k, random_state=0),
    "maximum a posteriori": lambda k: LatentDirichletAllocation(k, inference="map", random_state=0),
}.items():
    models = [make(k).set_params(max_iter=40, tol=0).fit(train) for k in numbers]
    held_out[name] = [m.completion_perplexity(test) for m in models]
    training[name] = [np.exp(m.history_["objective"][-1]) for m in models]

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, values in held_out.items():
    (line,) = ax.plot(numbers, values, "o-", label=f"{name}, held out")
    ax.plot(numbers, training[name], ":", color=line.get_color(), label=f"{name}, training")
ax.set(xscale="log", xlabel="number of topics", ylabel="perplexity of a word")
ax.set_xticks(numbers, [str(k) for k in numbers])
ax.minorticks_off()
ax.legend(fontsize="small")
plt.show()

# %%
# Three models of the same counts
# -------------------------------
# Without priors, a word that a topic never had in training has probability zero there, and one word
# that no topic has makes a whole article impossible. Here each topic is therefore mixed with one
# per cent of the overall distribution of words. Latent Dirichlet allocation has priors in its
# place, which do better.

every_word = np.asarray(train.sum(axis=0), dtype=float).ravel() + 0.01
every_word /= every_word.sum()


def mended(topics):
    topics = topics / topics.sum(axis=1, keepdims=True)
    return 0.99 * topics + 0.01 * every_word


plsa = ProbabilisticLatentSemanticAnalysis(20, random_state=0).fit(train)
nmf = NMF(
    20, solver="mu", beta_loss="kullback-leibler", init="random", max_iter=200, random_state=0
)
nmf.fit(train.astype(float))
perplexities = {
    "all words alike": completion_perplexity(test, every_word[np.newaxis], 0.1),
    "non-negative matrix factorisation": completion_perplexity(test, mended(nmf.components_), 0.1),
    "probabilistic latent semantic analysis": completion_perplexity(
        test, mended(plsa.components_), 0.1
    ),
    "latent Dirichlet allocation": model.completion_perplexity(test),
}
for name, value in perplexities.items():
    print(f"{name:40s} {value:6.0f}")

# %%
# Articles as a stream
# --------------------
# ``partial_fit`` takes articles as they come. With so few of them it does not reach what repeated
# passes find.

stream = LatentDirichletAllocation(20, random_state=0)
seen, perplexity = [], []
for start in range(0, 316, 79):
    stream.partial_fit(train[start : start + 79])
    seen.append(min(start + 79, 316))
    perplexity.append(stream.completion_perplexity(test))
for n, value in zip(seen, perplexity, strict=True):
    print(f"{n:4d} articles: {value:6.0f}")
