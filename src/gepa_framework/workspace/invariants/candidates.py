"""Invariants of candidates: where they come from, and what was decided of them."""

from __future__ import annotations

from gepa_framework.workspace.invariants.model import Invariant

#: How far sums of doubles may be off that were added up in another order.
_SLACK = "1e-9 * (1 + weight)"

CANDIDATES = (
    Invariant(
        "candidates_are_registered_once",
        "No candidate is registered twice.",
        """
        SELECT 'candidate', candidate_id, 'it is registered ' || count(*) || ' times'
        FROM registered GROUP BY candidate_id HAVING count(*) > 1""",
    ),
    Invariant(
        "candidates_are_their_texts",
        "The id of a candidate is the digest of its texts.",
        """
        SELECT 'candidate', candidate_id, 'its texts are those of ' || candidate_id(components, candidate_id)
        FROM registered WHERE candidate_id(components, candidate_id) <> candidate_id""",
    ),
    Invariant(
        "parents_are_known",
        "The parents of a candidate are registered before it, and every candidate but the seed has one.",
        """
        SELECT 'candidate', candidate_id, parent.value || ' is not registered before it'
        FROM registered AS child, json_each(parent_ids) AS parent
        WHERE NOT EXISTS (SELECT 1 FROM registered AS other
                          WHERE other.candidate_id = parent.value AND other.seq < child.seq)
        UNION ALL
        SELECT 'candidate', candidate_id, 'it has no parent' FROM registered
        WHERE (source = 'seed') <> (parent_ids = '[]')""",
    ),
    Invariant(
        "changes_are_those_of_the_texts",
        "The components that a candidate is said to change are those whose text is not its parent's.",
        """
        SELECT 'candidate', child.candidate_id, 'it is said to change ' || child.changed
        FROM registered AS child
        LEFT JOIN events AS merge
          ON merge.type = 'merge.proposed' AND json_valid(merge.body)
         AND json_extract(merge.body, '$.iteration') = child.iteration
        JOIN registered AS origin
          ON origin.candidate_id = CASE child.source
                 WHEN 'merge' THEN json_extract(merge.body, '$.ancestor_id')
                 ELSE json_extract(child.parent_ids, '$[0]') END
        WHERE EXISTS (
            SELECT 1 FROM json_each(child.components) AS text
            LEFT JOIN json_each(origin.components) AS before ON before.key = text.key
            WHERE (text.value IS NOT before.value)
               <> (text.key IN (SELECT value FROM json_each(child.changed))))""",
    ),
    Invariant(
        "decisions_are_of_children",
        "Who is accepted or rejected is registered before, and was compared with one of its parents.",
        """
        SELECT 'event', seq, candidate_id || ' is no child of ' || parent_id
            || ' that is registered before it'
        FROM decided
        WHERE NOT EXISTS (
            SELECT 1 FROM registered AS child, json_each(child.parent_ids) AS parent
            WHERE child.candidate_id = decided.candidate_id AND child.seq < decided.seq
              AND parent.value = decided.parent_id)""",
    ),
    Invariant(
        "candidates_are_decided_once",
        "No candidate is accepted or rejected twice.",
        """
        SELECT 'candidate', candidate_id, 'it was decided ' || count(*) || ' times'
        FROM decided GROUP BY candidate_id HAVING count(*) > 1""",
    ),
    Invariant(
        "decisions_add_up",
        "The sum of a decision is that of the child's rewards, and its delta the difference to the parent's.",
        f"""
        SELECT 'event', seq, 'the child is said to have ' || after || ', and its rewards come to ' || sum
        FROM (SELECT decided.seq, after, total(told.reward) AS sum, total(abs(told.reward)) AS weight
              FROM decided
              LEFT JOIN told ON told.candidate_id = decided.candidate_id
                  AND told.stage = 'candidate_minibatch'
              WHERE after IS NOT NULL GROUP BY decided.seq)
        WHERE abs(after - sum) > {_SLACK}
        UNION ALL
        SELECT 'event', seq, 'its delta is ' || delta || ', from ' || before || ' to ' || after
        FROM (SELECT *, abs(before) + abs(after) AS weight FROM decided WHERE after IS NOT NULL)
        WHERE abs(after - before - delta) > {_SLACK}""",
    ),
    Invariant(
        "acceptances_follow_their_rule",
        "Who is accepted for its reward alone did better than its parent, or as well where that is enough.",
        """
        SELECT 'event', seq, rule || ' accepts no delta of ' || delta FROM decided
        WHERE type = 'candidate.accepted' AND criterion = 'primary'
          AND CASE rule WHEN 'strict_improvement' THEN delta <= 0
                        WHEN 'improvement_or_equal' THEN delta < 0 ELSE 0 END""",
    ),
    Invariant(
        "accepted_children_are_evaluated",
        "Who is accepted is evaluated in full, unless the clock or a limit on money or tokens cut it short.",
        """
        SELECT 'candidate', candidate_id, 'it was accepted and never evaluated' FROM decided, run
        WHERE type = 'candidate.accepted' AND run.ending = 'gepa.run.finished'
          AND NOT run.ticks AND NOT run.money
          AND candidate_id NOT IN (SELECT candidate_id FROM evaluated)""",
    ),
    Invariant(
        "evaluated_children_were_accepted",
        "Only the seed and children that were accepted are evaluated in full, each once.",
        """
        SELECT 'event', seq, candidate_id || ' was not accepted before it' FROM evaluated
        WHERE NOT EXISTS (SELECT 1 FROM decided
                          WHERE decided.type = 'candidate.accepted' AND decided.seq < evaluated.seq
                            AND decided.candidate_id = evaluated.candidate_id)
          AND NOT EXISTS (SELECT 1 FROM registered
                          WHERE source = 'seed' AND registered.candidate_id = evaluated.candidate_id)
        UNION ALL
        SELECT 'candidate', candidate_id, 'it was evaluated ' || count(*) || ' times'
        FROM evaluated GROUP BY candidate_id HAVING count(*) > 1""",
    ),
    Invariant(
        "evaluations_are_means",
        "The score of an evaluation is the mean of the rewards on the Pareto rows that it covers.",
        f"""
        SELECT 'event', seq, 'its score is ' || score || ' over ' || coverage
            || ' rows, and the rewards come to '
               || sum || ' over ' || known
        FROM (SELECT evaluated.seq, score, coverage, count(reward) AS known, count(*) AS wanted,
                     total(reward) AS sum, total(abs(reward)) AS weight
              FROM evaluated JOIN standings ON standings.candidate_id = evaluated.candidate_id
              WHERE score IS NOT NULL GROUP BY evaluated.seq)
        WHERE abs(score * coverage - sum) > {_SLACK} OR coverage NOT IN (known, wanted)""",
    ),
)
