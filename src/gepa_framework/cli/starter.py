"""The ``gepa.toml`` that ``gepa init`` writes."""

from __future__ import annotations

STARTER = """\
#:schema ./gepa.schema.json
# A run of GEPA.
#   gepa check --config gepa.toml    checks this file and shows what a run may spend
#   gepa run --config gepa.toml      runs it
#   gepa plugins show KIND:NAME      shows what a plugin's table may hold
# A line that begins with "# key =" shows a default or a possibility.

[run]
# Name of the run and of its directory; made up from the time where it is left out.
# run_id = "first-run"
# Directory of the runs, relative to this file.
output_dir = "runs"
# The only source of randomness.
seed = 0

[container]
# The task: a service that gives rows and scores candidates on them.
transport = "synth_containers"
# Where it is ...
url = "http://127.0.0.1:8000"
# ... or how it is started and stopped with the run, on a free port; then delete url.
# command = ["{python}", "container.py", "--port", "{port}"]

[dataset]
# The container's names of its splits, and the seeds of the rows: a list, or a range with both ends.
train_split = "train"
heldout_split = "test"
train_seeds = "0-49"
# Never shown to the proposer; rolled out at the end, for the seed and for the best candidate.
heldout_seeds = "1000-1049"

[candidate]
# Components to improve; those that the container's program names where it is left out.
# target_modules = ["system_prompt"]

# Texts to start from, by component; the program's own where the table is left out.
# [seed_candidate]
# system_prompt = "Answer the question."

# What the container runs candidates with; sent to it with every rollout, and understood by it alone.
# [policy]
# model = "gpt-5.4-nano"
# api_key_env = "OPENAI_API_KEY"

[proposer]
# Reads what went wrong and writes new texts.
backend = "codex_app_server"
model = "gpt-5.4-mini"
# The variable that holds the key; never the key itself.
api_key_env = "OPENAI_API_KEY"

[gepa]
# A limit that is reached ends the run well, with the best candidate so far.
# Twice the heldout rows are set aside from the start; the rest is for the search.
max_total_rollouts = 600
# max_generations = 20
# max_cost_usd = 5.0
# What one attempt at a rollout and one proposal cost at the most; needed with the limit, 0 for nothing.
# rollout_estimated_cost_usd = 0.001
# proposer_estimated_cost_usd = 0.05
# max_time_seconds = 3600.0
# Rows on which a child is compared with its parent.
minibatch_size = 8

[gepa.pipeline.workers]
# Rollouts under way at once.
rollout = 8

[cache]
# readwrite keeps answers and asks again for none of them; off asks every time; readonly asks for nothing new.
mode = "readwrite"

# Further reasons to stop, as many as wanted: gepa plugins list --kind stopper
# [[stoppers]]
# use = "no_improvement"
# iterations = 10
"""
