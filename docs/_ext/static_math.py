"""Equations as MathML, which browsers draw themselves: no script, no download."""

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.math import get_node_equation_number


def visit_inline(self, node):
    """Write an equation within a line."""
    self.body.append(tex2mathml(node.astext(), as_block=False))
    raise SkipNode


def visit_block(self, node):
    """Write an equation of its own, with its number if it has one."""
    self.body.append('<div class="math-block">')
    self.body.append(tex2mathml(node.astext(), as_block=True))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append("</div>")
    raise SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
