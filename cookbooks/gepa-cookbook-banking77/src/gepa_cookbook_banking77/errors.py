"""What can be wrong with the data of this cookbook."""

from __future__ import annotations

from gepa_framework.errors import ExitCode, GepaError


class DataError(GepaError):
    """The data directory, one of its files or a download cannot be used."""

    error_code = "banking77_data_error"
    exit_code = ExitCode.ENVIRONMENT
