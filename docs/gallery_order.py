"""The topics of the gallery, and in which order one would read their pages."""

from pathlib import Path

TOPICS = {
    "energy_based_models": [
        "natural_patches",
        "filters_of_patches",
        "what_tells_patches_apart",
        "ising_at_three_temperatures",
        "denoising_with_random_fields",
    ],
    "boltzmann_machines": [
        "digits_completed",
        "digits_features",
        "recall_of_letters",
        "a_machine_given_half_a_digit",
        "a_machine_that_moves_images",
        "deep_digits",
    ],
    "auto_encoders": [
        "digits_latent_space",
        "how_beta_shapes_a_latent_space",
        "gradient_estimators",
    ],
    "sparse_coding": [
        "atoms_of_patches_and_digits",
        "denoising_and_inpainting",
        "convolutional_filters",
        "events_in_a_signal",
        "hierarchy_of_filters",
        "sparse_coding_as_a_network",
    ],
    "mixtures_topics_and_fields": [
        "digits_by_a_mixture",
        "topics_of_news",
        "segmentation_from_scribbles",
        "tagging_sequences",
    ],
    "anomalies": [
        "tabular_anomalies",
        "anomalies_explained",
    ],
    "criteria": [
        "consistency",
        "variational_nce",
    ],
}


class ReadingOrder:
    """Key of a page among those of its topic."""

    def __init__(self, src_dir):
        self._pages = TOPICS.get(Path(src_dir).name, [])  # Sphinx-Gallery also asks about ""

    def __call__(self, filename):
        return self._pages.index(Path(filename).stem)
