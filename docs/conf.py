"""Sphinx configuration: ``make docs``."""

from __future__ import annotations

project = "gepa-framework"
author = "the gepa-framework authors"
project_copyright = author

extensions = ["myst_parser"]
exclude_patterns = ["_build", "changelog.d"]
html_theme = "furo"
html_title = project

myst_heading_anchors = 3
nitpicky = True
