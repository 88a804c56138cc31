"""SHA-256 in SQL: SQLite has no such function, and a reader need not bring one.

A text of 1 kB takes about five milliseconds, and none where a query does not ask for the column.
"""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from math import isqrt
from typing import Final

_MASK: Final = 0xFFFFFFFF
_STATE: Final = "abcdefgh"
_WINDOW: Final = tuple(f"w{number}" for number in range(16))
_PRIMES: Final = [n for n in range(2, 312) if all(n % d for d in range(2, isqrt(n) + 1))]


def _root(number: int, degree: int) -> int:
    """Give the first 32 bits behind the point of a root."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= number << (32 * degree) else (low, middle)
    return low & _MASK


def _digits(numbers: list[int]) -> str:
    return "".join(f"{number:010d}" for number in numbers)


_BEGIN: Final = _digits([_root(prime, 2) for prime in _PRIMES[:8]])
_KEYS: Final = f"'{_digits([_root(prime, 3) for prime in _PRIMES])}'"


def _xor(one: str, other: str) -> str:
    return f"(({one}|{other})-({one}&{other}))"


def _turned(word: str, by: int) -> str:
    return f"((({word}>>{by})|({word}<<{32 - by}))&{_MASK})"


def _mixed(word: str, first: int, second: int, third: str) -> str:
    return _xor(_xor(_turned(word, first), _turned(word, second)), third)


def _number(text: str, place: str) -> str:
    return f"CAST(substr({text},1+10*{place},10) AS INTEGER)"


_DIGIT: Final = "(instr('123456789ABCDEF',substr(hex,128*block+8*each.value+{},1))<<{})"
_WORD: Final = "|".join(_DIGIT.format(place + 1, 28 - 4 * place) for place in range(8))
#: The sixteen words of a block, ten digits each.
_WORDS: Final = f"SELECT group_concat(printf('%010d',{_WORD}),'') FROM json_each('{[*range(16)]}') AS each"


def _block() -> str:
    """Give the query that works one block in; it reads `hex`, `block` and `hash` of the row around it."""
    ones = f"h+{_mixed('e', 6, 11, _turned('e', 25))}+(e&f)+(~e&g)+{_number(_KEYS, 't')}+w0"
    twos = f"{_mixed('a', 2, 13, _turned('a', 22))}+((a&b)|(a&c)|(b&c))"
    old, new = _mixed("w1", 7, 18, "(w1>>3)"), _mixed("w14", 17, 19, "(w14>>10)")
    columns = ",".join((*_STATE, *_WINDOW))
    begin = ",".join(
        (
            *(_number("hash", str(place)) for place in range(8)),
            *(_number("words", str(number)) for number in range(16)),
        )
    )
    window = ",".join((*_WINDOW[1:], f"(w0+{old}+w9+{new})&{_MASK}"))
    end = ",".join(f"({_number('hash', str(place))}+{name})&{_MASK}" for place, name in enumerate(_STATE))
    return (
        f"WITH RECURSIVE block(words) AS MATERIALIZED ({_WORDS}),"
        f"turn(t,{columns}) AS (SELECT 0,{begin} FROM block UNION ALL "
        f"SELECT t+1,({ones}+{twos})&{_MASK},a,b,c,(d+{ones})&{_MASK},e,f,g,{window} FROM turn WHERE t<64) "
        f"SELECT printf('{'%010d' * 8}',{end}) FROM turn WHERE t=64"
    )


_PADDED: Final = "hex(x)||'80'||hex(zeroblob((119-length(x)%64)%64))||printf('%016X',8*length(x))"
_SHOWN: Final = ",".join(_number("hash", str(place)) for place in range(8))


def sha256(text: str) -> str:
    """Give an expression for the digest of a text, in small hexadecimal digits; null of null.

    Args:
        text: An expression.
    """
    return (
        f"(WITH RECURSIVE chain(hex,block,hash) AS (SELECT {_PADDED},0,'{_BEGIN}' "
        f"FROM (SELECT CAST({text} AS BLOB) AS x) WHERE x IS NOT NULL UNION ALL "
        f"SELECT hex,block+1,({_block()}) FROM chain WHERE 128*block<length(hex)) "
        f"SELECT printf('{'%08x' * 8}',{_SHOWN}) FROM chain WHERE 128*block=length(hex))"
    )
