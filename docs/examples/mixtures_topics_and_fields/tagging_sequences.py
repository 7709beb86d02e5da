"""
Tagging the letters of words
============================

Badly written letters are hard to read one by one, and easier to read as words, because some letters
are more likely to follow each other than others. A :class:`~sklvm.ChainConditionalRandomField`
reads whole words. Here words of a small lexicon are written in code: the image of a handwritten
digit, under heavy noise, stands for each letter, so that a word is a sequence of images.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GroupShuffleSplit

from sklvm import ChainConditionalRandomField

# %%
# Words of digits
# ---------------
# The ten digits stand for ten letters. Words are drawn from the lexicon.

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
# Each row shows the images of the letters of a word, and above each image what it is read as, one
# by one and as part of the word. The matrix A on the right says how strongly one letter favours
# another as the next.

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
# With ``groups``, the probabilities of each letter are those given the images of the whole word.

probabilities = {
    "one by one": alone.predict_proba(X[test]).max(axis=1).mean(),
    "as words": chain.predict_proba(X[test], groups=groups[test]).max(axis=1).mean(),
}
log_likelihood = chain.log_likelihood(X[test], y[test], groups=groups[test]).mean()
print({name: round(float(p), 2) for name, p in probabilities.items()})
print(f"log P(word | images): {log_likelihood:.2f} nats a word")
