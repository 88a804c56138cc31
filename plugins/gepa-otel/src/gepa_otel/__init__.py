"""Listener of gepa-framework that sends a run as an OpenTelemetry trace over OTLP."""

from __future__ import annotations

__version__ = "0.1.0"
