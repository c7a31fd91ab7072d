"""Sphinx: furo and Markdown; warnings are errors (`make check`), nothing is loaded from another site."""

import tomllib
from pathlib import Path

project = "Weighbridge"
author = "The Weighbridge developers"
copyright = author  # noqa: A001 -- the name Sphinx reads
release = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]["version"]
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Weighbridge"
html_static_path = ["_static"]
html_css_files = ["weighbridge.css"]
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False
