"""SQL that puts texts back: for readers of rows, whose long texts stand in ``blobs``.

What stands in a row is looked up where it is a reference, and given as it is where it is none, or where the
text is not there: what is damaged is told by invariants and by ``gepa verify``, and not by a query.
"""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

_BEGIN = """'{"$text":"'"""


def whole_text(of: str, path: str) -> str:
    """Give an expression for a field that is a text, or null; or JSON without long texts in it.

    Args:
        of: What holds the JSON, with its table, such as ``events.body``: ``blobs`` has a ``body`` too.
        path: Where in it, such as ``$.rationale``.
    """
    named = f"""json_extract({of}, '{path}."$text"')"""
    return f"coalesce((SELECT body FROM blobs WHERE sha256 = {named}), json_extract({of}, '{path}'))"


def text_name(each: str) -> str:
    """Give an expression for the digest that a value of ``json_each`` names, and null where it is whole.

    Args:
        each: How the table is called.
    """
    return f"""CASE {each}.type WHEN 'object' THEN json_extract({each}.value, '$."$text"') END"""


def whole_value(each: str) -> str:
    """Give an expression for what ``json_each`` gives, where that is a text.

    Args:
        each: How the table is called.
    """
    return f"coalesce((SELECT body FROM blobs WHERE sha256 = {text_name(each)}), {each}.value)"


def whole_json(json: str) -> str:
    """Give an expression for JSON with all its texts in their places, however deep; for an object or a list.

    Args:
        json: An expression, such as ``each.value``.
    """
    at = f"instr(part, {_BEGIN})"
    name = f"substr(part, {at} + 10, 64)"
    replaced = f"replace(part, substr(part, {at}, 76), json_quote(blobs.body))"
    back = """replace(replace(part, '{"$$text":', '{"$text":'), ',"$$text":', ',"$text":')"""
    return (
        f"CASE WHEN instr({json}, '$text\":') = 0 THEN {json} ELSE ("
        f"WITH RECURSIVE whole(part, step) AS (SELECT {json}, 0 UNION ALL "
        f"SELECT {replaced}, step + 1 FROM whole JOIN blobs ON blobs.sha256 = {name} WHERE {at} > 0) "
        f"SELECT {back} FROM whole ORDER BY step DESC LIMIT 1) END"
    )
