"""What people answer for "same or different?", as +1, -1, and 0 for "cannot tell"."""

import numbers

import numpy as np

from skpairclust.constraints._labels import is_missing
from skpairclust.constraints._names import show

_WORDS = {
    **dict.fromkeys(("same", "must-link", "must_link", "yes", "true", "1", "+1"), 1),
    **dict.fromkeys(
        ("different", "cannot-link", "cannot_link", "no", "false", "-1"), -1
    ),
    **dict.fromkeys(("", "0", "unknown", "unsure", "cannot tell"), 0),
}
_ALLOWED = (
    'True and False, 1 and -1 (0 for "cannot tell"), or the words "same" and '
    '"different"; None and NaN mean "cannot tell" as well'
)


def read_answers(values, name="same"):
    """Return the answer of each pair, (n_pairs,) int8: +1, -1 or 0.

    Parameters
    ----------
    values : list
    name : str
        The column, for messages.

    Raises
    ------
    ValueError
        If a value is none of those known, or 0 may mean "different".
    """
    kinds = set(map(type, values))
    is_bool = {kind for kind in kinds if issubclass(kind, (bool, np.bool_))}
    is_number = {k for k in kinds - is_bool if issubclass(k, numbers.Number)}
    # a missing value among booleans may be the float NaN
    if is_bool and any(not is_missing(v) for v in values if type(v) in is_number):
        raise ValueError(
            f"the column {name!r} mixes booleans and numbers, so that 0 and False "
            f"cannot be told apart; it may hold {_ALLOWED}."
        )
    meaning = {value: _read_answer(value, name) for value in _distinct(values, name)}
    if not is_bool:
        _check_zeros(meaning, name)
    answers = map(meaning.__getitem__, values)
    return np.fromiter(answers, dtype=np.int8, count=len(values))


def _distinct(values, name):
    """Return the different values."""
    try:
        return dict.fromkeys(values)
    except TypeError as error:
        raise ValueError(
            f"the column {name!r} may hold {_ALLOWED}; {error}."
        ) from error


def _read_answer(value, name):
    """Return what one value means, or raise."""
    answer = None
    if is_missing(value):
        answer = 0
    elif isinstance(value, (bool, np.bool_)):
        answer = 1 if value else -1
    elif isinstance(value, str):
        answer = _WORDS.get(value.strip().lower())
    elif isinstance(value, numbers.Number) and value in (-1, 0, 1):
        answer = int(value)
    if answer is None:
        raise ValueError(f"the column {name!r} may hold {_ALLOWED}; got {value!r:.60}.")
    return answer


def _check_zeros(meaning, name):
    """Raise if 0 may be meant as "different", which people often write."""
    zeros = [v for v in meaning if v in ("0", 0) and not isinstance(v, bool)]
    if zeros and -1 not in meaning.values():
        raise ValueError(
            f"the column {name!r} holds {show(zeros)} but no -1. Here 0 means "
            '"cannot tell", and such pairs are left out. If it means "different", turn '
            f'the column into booleans, with pandas `pairs["{name}"].astype(int)'
            ".astype(bool)`; if it does not, leave these rows out."
        )
