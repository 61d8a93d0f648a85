"""Arrays of Dask, which scikit-learn would compute as a whole without a word."""


def refuse_dask(X):
    """Raise TypeError if X is an array or a data frame of Dask."""
    if not hasattr(X, "__dask_graph__"):
        return
    method = "map_partitions" if hasattr(X, "map_partitions") else "map_blocks"
    raise TypeError(
        f"X is a {type(X).__module__.partition('.')[0]} {type(X).__name__}, which "
        "would be computed as a whole. Pass X.compute() to fit if it fits into memory, "
        "or write it to a memory map or to zarr, which fit reads by the batch. For "
        f"predict use X.{method}(model.predict, ...): the page on large data of the "
        "user guide shows how."
    )
