"""Tables and numbers as people read them."""

from rich.table import Table


def table(*columns: str) -> Table:
    """A table; a column whose title begins with > holds numbers."""
    made = Table(header_style="bold")
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return made


def grouped(number: str) -> str:
    """A number with its thousands apart."""
    whole, point, rest = number.removeprefix("-").partition(".")
    return f"{'-' if number.startswith('-') else ''}{int(whole):,}{point}{rest}"
