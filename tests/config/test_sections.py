from __future__ import annotations

import attrs
import pytest

from gepa_framework.config.sections import AcceptanceSection, GepaSection, PipelineTable, SelectionSection

POSITIVE = (
    "acceptance.max_rows",
    "selection.k",
    "selection.batch",
    *(f"gepa.max_{what}" for what in ("generations", "total_rollouts", "train_rollouts", "heldout_rollouts")),
    *(
        f"gepa.max_{what}"
        for what in ("time_seconds", "proposals", "consecutive_proposer_failures", "rollout_attempts")
    ),
    *(f"gepa.rollout_{what}" for what in ("poll_interval_ms", "async_timeout_seconds", "chunk_size")),
    "gepa.minibatch_size",
    "gepa.proposals_per_generation",
    "gepa.parents_per_generation",
    "gepa.minibatches_per_parent",
    "gepa.keep_k",
    "gepa.no_improvement_generations",
    "gepa.leakage.min_span_chars",
    "gepa.pipeline.max_in_flight_candidates",
    "gepa.pipeline.workers.propose",
    "gepa.pipeline.workers.rollout",
    "gepa.pipeline.workers.evaluate",
    "gepa.pipeline.adaptive_rollout_concurrency.initial",
    "gepa.pipeline.adaptive_rollout_concurrency.increase_step",
    "gepa.call_timeout_seconds",
    "gepa.pipeline.adaptive_stage_workers.backlog_threshold",
    "disk_budget.soft_limit_gb",
    "merge.every",
    "merge.max",
    "merge.rows",
    "policy.max_tokens",
)
NOT_NEGATIVE = (
    "acceptance.margin",
    "gepa.minibatch_accept_margin",
    "gepa.max_cost_usd",
    "gepa.include_rejected",
    "gepa.retry_backoff_seconds",
    "gepa.pipeline.delta_max",
    "gepa.objective_acceptance.min_objective_delta",
    "gepa.objective_acceptance.objective_regression_tolerance",
    *(
        f"gepa.{who}_estimated_{what}"
        for who in ("proposer", "rollout")
        for what in ("cost_usd", "prompt_tokens", "completion_tokens", "total_tokens", "wall_seconds")
    ),
)
FINITE = (
    "acceptance.margin",
    "acceptance.confidence",
    "acceptance.power",
    "acceptance.win_rate",
    "gepa.verdict_confidence",
    "selection.epsilon",
    "selection.best_floor",
    "gepa.batch_sampler.floor",
    "gepa.max_cost_usd",
    "gepa.max_time_seconds",
    "gepa.perfect_score",
    "gepa.score_threshold_value",
    "gepa.rollout_failure_rate_tolerance",
)
ONE_OF = {
    "cache.mode": "off, readwrite, readonly",
    "gepa.rollout_submission_mode": "sync, async",
    "gepa.failed_rollout_policy": "exclude_paired, score_zero, stop",
    "gepa.frontier_type": "per_example, per_objective, per_example_objective",
    "gepa.deployment_rule": "optimization_selected, heldout_best",
    "gepa.component_selector": "all, round_robin",
    "gepa.keep": "all, best, top_k",
    "gepa.no_improvement_metric": "train, heldout",
    "gepa.score_threshold_metric": "train, heldout",
    "gepa.leakage.policy": "forbid, warn, allow",
    "gepa.pipeline.mode": "sync_serial, async_pipelined, flash_evolve",
    "gepa.pipeline.staleness_policy": "full, guarded, reflective",
    "gepa.objective_directions.x": "maximize, higher_is_better, minimize, lower_is_better",
    "acceptance.rule": "strict_improvement, improvement_or_equal, paired, sequential",
    "acceptance.criterion": (
        "primary, primary_or_objective, any_objective_improved, protected_objective_guard"
    ),
    "selection.frontier": "instance, objective, hybrid, cartesian",
    "policy.policy_type": "dag, react, codex",
    "policy.api_family": "chat_completions, responses",
    "policy.disable_reasoning": "auto, on, off",
    "policy.tool_call_style": "none, openai_chat, openai_responses, codex_session_native",
    "policy.proxy_mode": "proxy_only, assert_proxy, allow_direct",
    "policy.credential_mode": "byok, proxy",
}


@pytest.mark.parametrize("path", POSITIVE)
@pytest.mark.parametrize("value", ["0", "-1"])
def test_what_must_be_positive_is(lines_of, path, value):
    found = lines_of(sets=[f"{path}={value}"])
    assert found[0].removesuffix(".0") == f"--set {path}: {path}: must be > 0: {value}"
    assert lines_of(sets=[f"{path}=6"]) == []


@pytest.mark.parametrize("path", NOT_NEGATIVE)
def test_what_must_not_be_negative_is_not(lines_of, path):
    assert any(f": {path}: must be >= 0: -1" in line for line in lines_of(sets=[f"{path}=-1"]))
    assert lines_of(sets=[f"{path}=0"]) == []


@pytest.mark.parametrize("path", FINITE)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_are_finite(lines_of, path, value):
    assert lines_of(sets=[f"{path}={value}"]) == [f"--set {path}: {path}: must be finite: {value}"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("selection.epsilon", "-0.1", "must be between 0 and 1: -0.1"),
        ("selection.epsilon", "1.1", "must be between 0 and 1: 1.1"),
        ("selection.best_floor", "-0.5", "must be >= 0: -0.5"),
        ("selection.best_floor", "1.0", "must be < 1: 1.0"),
        ("selection.k", "4294967296", "must be between 0 and 2**32 - 1: 4294967296"),
        ("selection.batch", "4294967296", "must be between 0 and 2**32 - 1: 4294967296"),
        ("gepa.candidate_selector.k", "4294967296", "must be between 0 and 2**32 - 1: 4294967296"),
        ("acceptance.confidence", "0.5", "must be > 0.5 and < 1: 0.5"),
        ("acceptance.confidence", "1.0", "must be > 0.5 and < 1: 1.0"),
        ("acceptance.power", "0.0", "must be > 0 and < 1: 0.0"),
        ("acceptance.power", "1.0", "must be > 0 and < 1: 1.0"),
        ("acceptance.win_rate", "0.5", "must be > 0.5 and < 1: 0.5"),
        ("acceptance.win_rate", "1.0", "must be > 0.5 and < 1: 1.0"),
        ("gepa.verdict_confidence", "0.5", "must be > 0.5 and < 1: 0.5"),
        ("gepa.verdict_confidence", "1.0", "must be > 0.5 and < 1: 1.0"),
        ("gepa.batch_sampler.floor", "0.0", "must be > 0: 0.0"),
        ("gepa.batch_sampler.floor", "1.1", "must be between 0 and 1: 1.1"),
        ("gepa.batch_sampler.field", "a..b", "must be one key or several joined by dots"),
        ("gepa.batch_sampler.field", "''", "must be one key or several joined by dots"),
    ],
)
def test_the_numbers_of_rules_have_bounds(lines_of, path, value, message):
    assert lines_of(sets=[f"{path}={value}"]) == [f"--set {path}: {path}: {message}"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("selection.epsilon", "1.0"),
        ("selection.best_floor", "0.99"),
        ("selection.k", "4294967295"),
        ("acceptance.confidence", "0.51"),
        ("acceptance.power", "0.01"),
        ("acceptance.win_rate", "0.51"),
        ("gepa.batch_sampler.floor", "1.0"),
        ("gepa.batch_sampler.field", "level"),
    ],
)
def test_the_numbers_of_rules_reach_their_bounds(lines_of, path, value):
    assert lines_of(sets=[f"{path}={value}"]) == []


@pytest.mark.parametrize(("path", "names"), ONE_OF.items())
def test_a_choice_is_one_of_the_known_ones(lines_of, path, names):
    assert lines_of(sets=[f"{path}=zzz"]) == [f'--set {path}: {path}: "zzz" is not one of {names}']


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[run]\nseed = -1", ":9:1: run.seed: must be between 0 and 2**64 - 1: -1"),
        (
            "[run]\nrun_id = ''",
            (
                ":9:1: run.run_id: must be 1 to 128 letters, digits, '.', '_' or '-', "
                "and start with a letter or digit"
            ),
        ),
        ("[run]\noutput_dir = ''", ":9:1: run.output_dir: must be a path, not empty and without NUL"),
        ("[candidate]\ntarget_modules = ['']", ":9:1: candidate.target_modules: must not hold an empty text"),
        (
            "[candidate]\ntarget_modules = ['a', 'a']",
            ":9:1: candidate.target_modules: names a more than once",
        ),
        (
            "[seed_candidate]",
            (
                ":8:2: seed_candidate: names no component; name a component, "
                "or delete the table to start from the program's own"
            ),
        ),
        ("[seed_candidate]\n'a b' = ''", ':9:1: seed_candidate."a b": must not be empty'),
        ("[seed_candidate]\na = 1", ":9:1: seed_candidate.a: expected a string, got the integer 1"),
        ("[cache]\nnamespace = ''", ":9:1: cache.namespace: must not be empty"),
        ("[cache]\nmod = 'off'", ":9:1: cache.mod: unknown key 'mod'; did you mean 'mode'?"),
        ("[plugins]\nblock = ['-x']", ":9:1: plugins.block: '-x' is no distribution name"),
        (
            "[gepa]\nrollout_failure_rate_tolerance = 1.1",
            ":9:1: gepa.rollout_failure_rate_tolerance: must be between 0 and 1: 1.1",
        ),
        ("[gepa]\nproposal_repair_turns = 2", ":9:1: gepa.proposal_repair_turns: must be <= 1: 2"),
        ("[gepa]\nproposal_repair_turns = -1", ":9:1: gepa.proposal_repair_turns: must be >= 0: -1"),
        ("[gepa]\nmax_component_chars = 0", ":9:1: gepa.max_component_chars: must be > 0: 0"),
        ("[gepa]\nselection_objective = ''", ":9:1: gepa.selection_objective: must not be empty"),
        (
            "[gepa]\nno_improvement_metric = 'heldout'",
            (
                ':9:1: gepa.no_improvement_metric: "heldout" cannot be chosen; the search never sees heldout '
                'rows: write "train"'
            ),
        ),
        (
            "[gepa]\nscore_threshold_metric = 'heldout'",
            (
                ':9:1: gepa.score_threshold_metric: "heldout" cannot be chosen; the search never sees '
                'heldout rows: write "train"'
            ),
        ),
        (
            "[gepa.pipeline.adaptive_rollout_concurrency]\nmin = 9\nmax = 8",
            ":10:1: gepa.pipeline.adaptive_rollout_concurrency.max: must be >= min (9): 8",
        ),
        (
            "[gepa.pipeline.adaptive_rollout_concurrency]\nmin = 9\ninitial = 8",
            ":10:1: gepa.pipeline.adaptive_rollout_concurrency.initial: must be >= min (9): 8",
        ),
        (
            "[gepa.pipeline.adaptive_rollout_concurrency]\noverload_status_codes = [429, 200]",
            (
                ":9:1: gepa.pipeline.adaptive_rollout_concurrency.overload_status_codes: "
                "must hold HTTP statuses from 400 to 599: 200"
            ),
        ),
        (
            "[disk_budget]\nhard_limit_gb = 1",
            ":9:1: disk_budget.hard_limit_gb: must be >= soft_limit_gb (5.0): 1.0",
        ),
        (
            "[gepa]\nminibatchsize = 3",
            ":9:1: gepa.minibatchsize: unknown key 'minibatchsize'; did you mean 'minibatch_size'?",
        ),
        ("[gepaa]\nx = 1", ":8:2: gepaa: unknown table 'gepaa'; did you mean 'gepa'?"),
        (
            "[usage_registration]\nenabled = false",
            (
                ":8:2: usage_registration: is not supported; "
                "nothing is ever reported to anybody: delete the table"
            ),
        ),
        (
            "[policy]\napi_key_env = 'sk-abc'",
            ":9:1: policy.api_key_env: must be the name of an environment variable, not a value",
        ),
        (
            "[policy]\ncredential_mode = 'proxy'",
            ':9:1: policy.credential_mode: "proxy" needs policy.inference_url',
        ),
        (
            "[policy]\nat = 2020-01-01",
            ":9:1: policy.at: expected a value that JSON knows, got the date 2020-01-01",
        ),
    ],
)
def test_nonsense_is_refused(lines_of, text, line):
    assert lines_of(text) == ["gepa.toml" + line]


def test_a_requirement_is_one_that_pip_takes(parse, lines_of):
    assert parse("[plugins]\nrequire = ['gepa-codex>=0.2,<1']").config.plugins.require == (
        "gepa-codex>=0.2,<1",
    )
    (line,) = lines_of("[plugins]\nrequire = ['gepa codex']")
    said = "gepa.toml:9:1: plugins.require: 'gepa codex' is no requirement such as 'name>=1.2': "
    assert line.startswith(said)


@pytest.mark.parametrize("name", ["run", "gepa", "container", "cache", "policy", "seed_candidate", "plugins"])
def test_a_table_is_a_table(lines_of, name):
    tables = [table for table in ("container", "dataset", "proposer") if table != name]
    rest = {
        "container": "[container]",
        "dataset": "[dataset]\ntrain_seeds = [1]\nheldout_seeds = [2]",
        "proposer": "[proposer]\nbackend = 'scripted'",
    }
    text = f"{name} = 7\n" + "\n".join(rest[table] for table in tables)
    assert lines_of(text, whole=True) == [f"gepa.toml:1:1: {name}: expected a table, got the integer 7"]


@pytest.mark.parametrize("run_id", ["a", "A.b_c-9", "0" * 128])
def test_a_run_id_is_a_safe_file_name(parse, run_id):
    assert parse(f"[run]\nrun_id = '{run_id}'").config.run.run_id == run_id


@pytest.mark.parametrize("run_id", [".a", "-a", "a/b", "a b", "é", "0" * 129, "a\\n"])
def test_a_run_id_that_is_no_safe_file_name_is_refused(lines_of, run_id):
    assert "run.run_id: must be 1 to 128" in lines_of(f'[run]\nrun_id = "{run_id}"')[0]


def test_the_whole_range_of_seeds_is_taken(parse):
    assert parse(f"[run]\nseed = {2**64 - 1}").config.run.seed == 2**64 - 1


def test_a_seed_beyond_the_range_is_refused(lines_of):
    assert "run.seed: is no 64-bit integer" in lines_of(f"[run]\nseed = {2**64}")[0]


def test_the_defaults_are_those_that_are_documented(parse):
    config = parse().config
    assert config.gepa == GepaSection()
    assert config.gepa.pipeline == PipelineTable()
    assert (config.gepa.max_generations, config.gepa.minibatch_size, config.gepa.max_total_rollouts) == (
        None,
        8,
        256,
    )
    assert (config.gepa.rollout_submission_mode, config.gepa.failed_rollout_policy) == (
        "sync",
        "exclude_paired",
    )
    assert (config.gepa.pipeline.workers.rollout, config.gepa.pipeline.delta_max) == (8, 2)
    assert (config.run.run_id, config.run.seed, str(config.run.output_dir)) == (None, 0, "/base/runs")
    assert (config.cache.mode, config.cache.namespace) == ("readwrite", None)
    assert (config.selection.strategy, config.acceptance.rule, config.acceptance.margin) == (
        "pareto",
        "strict_improvement",
        0.0,
    )
    assert (config.selection, config.acceptance) == (SelectionSection(), AcceptanceSection())
    assert (config.seed_candidate, dict(config.policy), config.executor) == (None, {}, None)
    assert (config.stoppers, config.listeners) == ((), ())


def test_the_values_are_frozen(parse):
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        parse().config.gepa.minibatch_size = 3


@pytest.mark.parametrize("text", [" ", "\n", " a\t"])
def test_the_text_of_a_seed_candidate_is_not_trimmed(parse, text):
    assert parse(sets=[f"seed_candidate.a={text!r}".replace("'", '"')]).config.seed_candidate == {"a": text}


def test_bounds_may_meet(lines_of):
    assert lines_of("[gepa.pipeline]\nadaptive_stage_workers = {min = 4, max = 4}") == []


def test_an_absolute_output_directory_stays(parse):
    assert str(parse("[run]\noutput_dir = '/data/runs'").config.run.output_dir) == "/data/runs"


@pytest.mark.parametrize(
    "key",
    [
        "api_key",
        "my_api_key",
        "apikey",
        "API_KEY",
        "apiKey",
        "token",
        "hf_token",
        "client_secret",
        "password",
        "Authorization",
        "bearer",
        "access_key",
        "private-key",
        "credentials",
    ],
)
def test_a_policy_never_carries_a_credential(lines_of, key):
    hint = "name an environment variable of the container's process in a key that ends in _env"
    for text in (
        f"[policy]\n{key} = 'x'",
        f"[policy.config]\n{key} = 'x'",
        f"[[policy.config.list]]\n{key} = ['x']",
    ):
        found = lines_of(text)
        assert len(found) == 1
        assert found[0].startswith("gepa.toml:9:1: policy.")
        assert found[0].endswith(f".{key}: must not hold a credential; {hint}")


@pytest.mark.parametrize(
    "line",
    [
        "api_key_env = 'K'",
        "token_env = 'T'",
        "max_tokens = 5",
        "config.token = 3",
        "author = 'x'",
        "tokens = 'x'",
    ],
)
def test_what_only_sounds_like_a_credential_is_taken(lines_of, line):
    assert lines_of(f"[policy]\n{line}") == []


def test_a_policy_keeps_keys_of_its_own(parse):
    policy = parse("[policy]\nprovider = 'lexical'\nweights = [1, 2.5]\nnested.deep = true").config.policy
    assert policy == {"provider": "lexical", "weights": (1, 2.5), "nested": {"deep": True}}
