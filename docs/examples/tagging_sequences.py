"""
Tagging the letters of words
============================

Letters of a word are hard to tell apart one by one if they are badly written, and easier together:
some letters follow others. A :class:`~sklvm.ChainConditionalRandomField` reads whole words. Here
words of a small lexicon are spelled in handwritten digits' place of letters: each letter is a
digit's image under heavy noise, so that the code of a word is a sequence of images.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GroupShuffleSplit

from sklvm import ChainConditionalRandomField

# %%
# Words of digits
# ---------------
# Ten letters stand for the ten digits. A word's letters follow one another as in the lexicon.

lexicon = """rate tear earn near tone note stone store roast toast coast least east seat teats
nest rest test taste state astern eastern senator treason reason season canoe ocean acorn
action ration nation station notion nicest insect recent center iceland island inland
latest tales slate steal least aisle liner reliant entail retail sailor tailor solar""".split()
letters = np.array(sorted("aceilnorst"))
lexicon = [word for word in lexicon if set(word) <= set(letters)]
digits = load_digits()
rng = np.random.default_rng(0)
words = rng.choice(lexicon, 300)
y = np.array(list("".join(words)))
groups = np.repeat(np.arange(300), [len(word) for word in words])
codes = np.searchsorted(letters, y)
X = np.array([digits.data[rng.choice(np.flatnonzero(digits.target == code))] for code in codes])
X = X / 16 + 0.5 * rng.standard_normal(X.shape)
train, test = next(GroupShuffleSplit(1, test_size=0.4, random_state=0).split(X, y, groups))
train, test = np.sort(train), np.sort(test)
print(f"{len(lexicon)} words in the lexicon, {len(train)} letters to learn from")

# %%
# One by one, and as words
# ------------------------
# Without ``groups`` every letter is a sequence by itself: logistic regression.

alone = ChainConditionalRandomField(alpha=3.0).fit(X[train], y[train])
chain = ChainConditionalRandomField(alpha=3.0).fit(X[train], y[train], groups=groups[train])
scores = {
    "one by one": alone.score(X[test], y[test]),
    "as words": chain.score(X[test], y[test], groups=groups[test]),
}
for name, score in scores.items():
    print(f"{name}: {100 * (1 - score):.1f}% of the letters wrong")

# %%
# What a word looks like
# ----------------------
# Rows are the images of the letters of four words; below, what is read one by one and as words. At
# the right is A, how much more a letter follows another than it would by chance.

by_letter, by_word = alone.predict(X[test]), chain.predict(X[test], groups=groups[test])
helped = [
    g
    for g in np.unique(groups[test])
    if np.any(by_letter[groups[test] == g] != y[test][groups[test] == g])
    and np.all(by_word[groups[test] == g] == y[test][groups[test] == g])
]
shown = sorted(helped, key=lambda g: -np.sum(groups[test] == g))[:4]
figure = plt.figure(figsize=(11, 5.5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.2, 1])
axes = left.subplots(4, 8)
for row, group in zip(axes, shown, strict=True):
    rows = np.flatnonzero(groups[test] == group)
    for axis in row:
        axis.set_axis_off()
    for axis, i in zip(row, rows, strict=False):
        axis.imshow(X[test][i].reshape(8, 8), cmap="gray_r")
        is_wrong = by_letter[i] != y[test][i]
        axis.set_title(
            f"{by_letter[i]} → {by_word[i]}", fontsize=9, color="C3" if is_wrong else "k"
        )
left.suptitle("read one by one → as words")
axis = right.subplots()
picture = axis.imshow(chain.transitions_, cmap="RdBu_r", vmin=-2.5, vmax=2.5)
axis.set(xlabel="next letter", ylabel="letter", title="transitions")
axis.set_xticks(range(len(letters)), chain.classes_)
axis.set_yticks(range(len(letters)), chain.classes_)
right.colorbar(picture, shrink=0.8)
plt.show()

# %%
# How sure it is
# --------------
# Marginals are those of each letter given the images of the whole word.

probabilities = {
    "one by one": alone.predict_proba(X[test]).max(axis=1).mean(),
    "as words": chain.predict_proba(X[test], groups=groups[test]).max(axis=1).mean(),
}
log_likelihood = chain.log_likelihood(X[test], y[test], groups=groups[test]).mean()
print({name: round(float(p), 2) for name, p in probabilities.items()})
print(f"log P(word | images): {log_likelihood:.2f} nats a word")
