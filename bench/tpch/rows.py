# SPDX-License-Identifier: Apache-2.0
"""Whether two systems gave the same rows for a query.

Numbers agree within a relative 1e-6 (avg is numeric in one system and double in another); blanks
at the end of a char(n) do not count. Rows are compared in their order, and if that fails as sets:
ORDER BY leaves rows with equal keys in any order.
"""

import datetime
import decimal

TOLERANCE = 1e-6


def _plain(value):
    if isinstance(value, str):
        return value.rstrip(" ")
    if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def _equal(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= TOLERANCE * max(abs(a), abs(b), 1e-3)
    return a == b


def _rows_equal(left, right):
    return all(
        len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b)) for a, b in zip(left, right)
    )


def _sort_key(row):
    return [f"{value:.6g}" if isinstance(value, float) else str(value) for value in row]


def same_rows(left, right):
    """True if both are the same rows; see above."""
    left = [[_plain(value) for value in row] for row in left]
    right = [[_plain(value) for value in row] for row in right]
    if len(left) != len(right):
        return False
    if _rows_equal(left, right):
        return True
    return _rows_equal(sorted(left, key=_sort_key), sorted(right, key=_sort_key))
