"""Which methods the pages of classes list: those documented here.

What scikit-learn's base classes add (`get_params`, `set_output`, the setters of
metadata requests) is documented there.
"""


def skip_foreign(app, what, name, member, skip, options):
    """Leave out what other packages define."""
    if name.startswith("set_") and name.endswith("_request"):
        return True
    module = getattr(member, "__module__", None) or ""
    if callable(member) and not module.startswith("skpairclust"):
        return True
    return None


def setup(app):
    """Connect the filter."""
    app.connect("autodoc-skip-member", skip_foreign)
    return {"parallel_read_safe": True}
