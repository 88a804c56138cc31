"""Views of the manifests that a run left, and of the files that each of them names."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: What files were is kept just before a manifest is written, and of each only where it is news.
_MOMENTS = "SELECT seq, max(number) AS last FROM artifact_refs GROUP BY seq"

VIEWS: Final[Mapping[str, str]] = {
    "manifest_artifacts": f"""
        WITH moments AS MATERIALIZED ({_MOMENTS})
        SELECT CAST(moments.seq AS INTEGER) AS seq, CAST(ref.path AS TEXT) AS path,
               CAST(ref.kind AS TEXT) AS kind, CAST(ref.sha256 AS TEXT) AS sha256,
               CAST(ref.bytes AS INTEGER) AS bytes, CAST(ref.seq AS INTEGER) AS since_seq
        FROM moments JOIN artifact_refs AS ref ON ref.number = (
            SELECT max(number) FROM artifact_refs AS other
            WHERE other.path = ref.path AND other.number <= moments.last)""",
    "manifests": """
        SELECT named.seq, 'result_manifest.json' AS path, 'gepa_result_manifest.v1' AS schema,
               CAST(ending.event AS TEXT) AS event,
               CAST(ending.best_candidate_id AS TEXT) AS best_candidate_id,
               CAST(count(*) AS INTEGER) AS artifacts, CAST(sum(named.bytes) AS INTEGER) AS bytes
        FROM manifest_artifacts AS named LEFT JOIN run_endings AS ending ON ending.seq = named.seq
        GROUP BY named.seq""",
}
