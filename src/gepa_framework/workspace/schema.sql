-- Made by `python -m gepa_framework.workspace.schema`; schema.py says the same and comes first.
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
CREATE TABLE blobs (
    sha256 VARCHAR NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (sha256)
);
CREATE TABLE checkpoints (
    position INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    elapsed_us INTEGER NOT NULL,
    tallies TEXT NOT NULL,
    PRIMARY KEY (position)
);
CREATE TABLE inputs (
    position INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    effect_id VARCHAR,
    request_digest VARCHAR,
    elapsed_us INTEGER NOT NULL,
    payload TEXT NOT NULL,
    chain BLOB NOT NULL,
    access VARCHAR,
    PRIMARY KEY (position)
);
CREATE TABLE meta (
    "key" VARCHAR NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE attempts (
    effect_id VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    message TEXT NOT NULL,
    http_status INTEGER,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    total_tokens INTEGER,
    cost_usd VARCHAR,
    PRIMARY KEY (effect_id, attempt),
    FOREIGN KEY(position) REFERENCES inputs (position)
);
CREATE TABLE events (
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    type VARCHAR NOT NULL,
    elapsed_us INTEGER NOT NULL,
    body TEXT NOT NULL,
    chain BLOB NOT NULL,
    PRIMARY KEY (seq),
    FOREIGN KEY(position) REFERENCES inputs (position)
);
CREATE VIEW candidates AS SELECT seq, type AS event, json_extract(body, '$.candidate_id') AS candidate_id, json_extract(body, '$.parent_ids') AS parent_ids, json_extract(body, '$.iteration') AS iteration, json_extract(body, '$.source') AS source, json_extract(body, '$.changed') AS changed, json_extract(body, '$.rationale') AS rationale FROM events WHERE type IN ('candidate.registered');
CREATE VIEW rollouts AS SELECT seq, type AS event, json_extract(body, '$.candidate_id') AS candidate_id, json_extract(body, '$.row_id') AS row_id, json_extract(body, '$.stage') AS stage, json_extract(body, '$.iteration') AS iteration, json_extract(body, '$.reward') AS reward, json_extract(body, '$.kind') AS kind, json_extract(body, '$.code') AS code, json_extract(body, '$.message') AS message, json_extract(body, '$.cost_usd') AS cost_usd, json_extract(body, '$.total_tokens') AS total_tokens FROM events WHERE type IN ('rollout.completed', 'rollout.failed');
CREATE VIEW acceptance_decisions AS SELECT seq, type AS event, json_extract(body, '$.candidate_id') AS candidate_id, json_extract(body, '$.parent_id') AS parent_id, json_extract(body, '$.iteration') AS iteration, json_extract(body, '$.rule') AS rule, json_extract(body, '$.reason') AS reason, json_extract(body, '$.before') AS before, json_extract(body, '$.after') AS after, json_extract(body, '$.delta') AS delta, json_extract(body, '$.rows') AS rows, json_extract(body, '$.p') AS p, json_extract(body, '$.evidence') AS evidence FROM events WHERE type IN ('candidate.accepted', 'candidate.rejected');
CREATE VIEW evaluations AS SELECT seq, type AS event, json_extract(body, '$.candidate_id') AS candidate_id, json_extract(body, '$.iteration') AS iteration, json_extract(body, '$.score') AS score, json_extract(body, '$.coverage') AS coverage, json_extract(body, '$.rows') AS rows, json_extract(body, '$.stderr') AS stderr FROM events WHERE type IN ('candidate.evaluated');
CREATE VIEW frontier_updates AS SELECT seq, type AS event, json_extract(body, '$.candidate_id') AS candidate_id, json_extract(body, '$.iteration') AS iteration, json_extract(body, '$.improved') AS improved, json_extract(body, '$.tied') AS tied, json_extract(body, '$.survivors') AS survivors, json_extract(body, '$.best_candidate_id') AS best_candidate_id, json_extract(body, '$.best_score') AS best_score, json_extract(body, '$.best_stderr') AS best_stderr FROM events WHERE type IN ('frontier.updated');
CREATE VIEW heldout_scores AS SELECT seq, type AS event, json_extract(body, '$.candidate_id') AS candidate_id, json_extract(body, '$.role') AS role, json_extract(body, '$.score') AS score, json_extract(body, '$.stderr') AS stderr, json_extract(body, '$.coverage') AS coverage, json_extract(body, '$.rows') AS rows FROM events WHERE type IN ('heldout.completed');
CREATE VIEW heldout_verdicts AS SELECT seq, type AS event, json_extract(body, '$.verdict') AS verdict, json_extract(body, '$.candidate_id') AS candidate_id, json_extract(body, '$.n') AS n, json_extract(body, '$.differing') AS differing, json_extract(body, '$.mean_difference') AS mean_difference, json_extract(body, '$.stderr') AS stderr, json_extract(body, '$.p') AS p, json_extract(body, '$.confidence') AS confidence, json_extract(body, '$.reason') AS reason FROM events WHERE type IN ('heldout.verdict');
CREATE VIEW usage_ledger AS
        SELECT position, effect_id, kind AS boundary, 0 AS superseded,
               json_extract(payload, '$.usage.prompt_tokens') AS prompt_tokens,
               json_extract(payload, '$.usage.completion_tokens') AS completion_tokens,
               json_extract(payload, '$.usage.total_tokens') AS total_tokens,
               json_extract(payload, '$.usage.cost_usd') AS cost_usd
        FROM inputs WHERE kind IN ('rollout', 'rollout_failure', 'proposal', 'proposal_failure')
        UNION ALL
        SELECT position, effect_id, kind, 1, prompt_tokens, completion_tokens, total_tokens,
               CAST(cost_usd AS REAL)
        FROM attempts;
