"""What a saved clusterer has beside what all estimators have."""

from skpairclust.neural._saved_attributes import (
    Array,
    Equal,
    is_count,
    is_number,
    is_positive,
    is_shape,
    is_text,
)

SAVED_ATTRIBUTES = {
    "_n_features_out": Equal("n_hidden"),
    "hidden_layer_sizes_": is_shape,
    "pair_weight_": is_number,
    "information_weight_": is_number,
    "adversarial_radius_": is_number,
    "size_freedom_": is_number,
    "noise_rate_": is_number,
    "temperature_": is_positive,
    "start_": is_text,
    "n_clusters_": is_count,
    "cluster_order_": Array("int64", ("n_outputs",), below="n_outputs"),
    "labels_": Array("int64", ("n_samples",), below="n_outputs"),
}
