"""Cells of a spreadsheet: what a person wrote is shown there, and never computed. Source: OWASP, CSV injection."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell in place of showing it."""


def would_compute(cell: str) -> bool:
    """Whether a spreadsheet would take it for a formula, also behind blanks."""
    return cell.startswith(FORMULA_STARTS) or cell.strip().startswith(FORMULA_STARTS)


def shown_cell(text: str) -> str:
    """The text as a cell that is shown: with a quote before it where it would be computed."""
    return f"'{text}" if would_compute(text) else text
