"""What goes wrong with people's files and machines: sentences for the reader."""


class LabelError(Exception):
    """An error whose text is a sentence with the way out; no traceback is needed.

    Examples
    --------
    >>> from skpairclust.label import LabelError, label_pairs
    >>> try:
    ...     label_pairs([[0.0], [1.0]], ids=["ann", "ann"])
    ... except LabelError as error:
    ...     print(error)
    ids must be different for all samples, but some come again (1 in all): 'ann'. \
Choose another column with --ids, or remove repeated rows.
    """


class NotSaved(LabelError):
    """An answer could not be written, so it must not be acknowledged."""


class NotAccepted(LabelError):
    """A request that makes no sense: the page or a script sent something wrong."""


class AlreadyAnswered(LabelError):
    """A question that somebody else, or another tab, has answered before."""
