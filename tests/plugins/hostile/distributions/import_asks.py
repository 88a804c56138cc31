"""Asks the user something while it is imported."""

from __future__ import annotations

input("Do you accept the terms? ")
