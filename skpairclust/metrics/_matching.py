"""The matching of two partitions that agrees on the most samples."""

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from sklearn.metrics.cluster import contingency_matrix

# Entries of a table up to which it is made dense.
_MOST_ENTRIES = 2**20


def match_groups(first, second):
    """Match the groups of two partitions one to one, so that most samples agree.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,)
        Names of groups.

    Returns
    -------
    rows, columns : ndarray of shape (n_matched,), int64
        Positions among the sorted names. Groups that share no sample with another may
        be left out.

    References
    ----------
    Kuhn (1955). The Hungarian method for the assignment problem.
    """
    table = contingency_matrix(first, second, sparse=True)
    if table.shape[0] * table.shape[1] <= _MOST_ENTRIES:
        return linear_sum_assignment(table.toarray(), maximize=True)
    return _match_sparse(table)


def _match_sparse(table):
    """Match rows and columns of a sparse table of counts."""
    n_rows, n_columns = table.shape
    # A row may stay alone, in a column of its own, at the cost of agreeing on nothing.
    # All costs are above 0, which a sparse matrix cannot hold.
    worst = float(table.max()) + 1
    costs = sparse.csr_matrix(table, dtype=np.float64, copy=True)
    costs.data = worst - costs.data
    alone = sparse.diags_array(np.full(n_rows, worst), format="csr")
    rows, columns = min_weight_full_bipartite_matching(
        sparse.hstack([costs, alone], format="csr")
    )
    is_matched = columns < n_columns
    return rows[is_matched].astype(np.int64), columns[is_matched].astype(np.int64)
