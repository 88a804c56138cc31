from __future__ import annotations

import pytest


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_run_is_recorded_by_a_real_server_whose_artifacts_go_through_it(
    project, server, store_at, caplog, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    result = project.run()
    store = store_at(server.uri)
    assert store.run.info.status == "FINISHED"
    assert store.run.data.metrics["best_score"] == result.best_score
    assert store.run.info.artifact_uri.startswith("mlflow-artifacts:")
    assert store.text("best_candidate/skills.txt")
    assert [record.getMessage() for record in caplog.records if record.name.startswith("gepa")] == []
