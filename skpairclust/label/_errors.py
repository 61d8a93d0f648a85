"""What goes wrong with people's files and machines: sentences for the reader."""


class LabelError(Exception):
    """An error whose text is a sentence with the way out; no traceback is needed."""


class NotSaved(LabelError):
    """An answer could not be written, so it must not be acknowledged."""


class NotAccepted(LabelError):
    """A request that makes no sense: the page or a script sent something wrong."""


class AlreadyAnswered(LabelError):
    """A question that somebody else, or another tab, has answered before."""
