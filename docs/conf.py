"""Settings of Sphinx. `make docs` builds the pages, without a network."""

import os
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

# Before matplotlib and PyTorch are imported. Two threads gain nothing on the small
# tables of the examples.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from skpairclust import __version__

torch.set_num_threads(1)

project = "skpairclust"
author = "skpairclust developers"
copyright = f"{date.today().year}, {author}"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "experiments",
    "public_members",
    "static_math",
]
# Links to the documentation of others need their lists of names from the network.
if os.environ.get("READTHEDOCS") or os.environ.get("SKPAIRCLUST_LINK_OTHERS"):
    extensions.append("sphinx.ext.intersphinx")
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
    "torch": ("https://docs.pytorch.org/docs/stable", None),
    "matplotlib": ("https://matplotlib.org/stable", None),
}
exclude_patterns = ["_build", "examples", "generated"]
templates_path = ["_templates"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
# The names of methods alone: with their class they are cut off in the side bar.
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_use_plots = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "FileNameSortKey",
    "reference_url": {"skpairclust": None},
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skpairclust",),
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "min_reported_time": 60,
    "abort_on_example_error": True,
    "matplotlib_animations": False,
    "copyfile_regex": "",
}

html_theme = "pydata_sphinx_theme"
html_title = "skpairclust"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "navbar_align": "left",
    "github_url": "https://github.com/skpairclust/skpairclust",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"changelog": [], "comparison": [], "experiments": []}
