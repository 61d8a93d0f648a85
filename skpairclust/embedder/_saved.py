"""What a saved embedder has beside what all estimators have."""

from skpairclust.neural._saved_attributes import (
    Array,
    Equal,
    Optional,
    OrNone,
    is_curve,
    is_flag,
    is_number,
    is_text,
)

SAVED_ATTRIBUTES = {
    "_n_features_out": Equal("n_outputs"),
    "_is_normalized": is_flag,
    "augment_classes_": Optional(is_flag),
    "_views": Optional(Array("float32", ("n_positions", "n_outputs", "n_outputs"))),
    "unlabeled_": Optional(OrNone(is_text)),
    "margin_": is_number,
    "validation_scores_": is_curve,
    "embedding_": Array("float32", ("n_samples", "n_outputs")),
    "cluster_centers_": Optional(Array("float32", ("n_centers", "n_outputs"))),
    "_cluster_of_center": Optional(
        Array("int64", ("n_centers",), below="n_centers"), "cluster_centers_"
    ),
    "labels_": Optional(
        Array("int64", ("n_samples",), below="n_centers"), "cluster_centers_"
    ),
}
