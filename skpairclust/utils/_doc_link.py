"""Where the HTML representation of an estimator links to."""


class DocLinkMixin:
    """Link an estimator to its page of the API reference."""

    _doc_link_module = "skpairclust"
    _doc_link_template = (
        "https://skpairclust.readthedocs.io/en/latest/api/"
        "{estimator_module}.{estimator_name}.html"
    )
