"""Sentences that say what a table found. Every number in them comes from the table. One module a notebook."""

from html import escape


class Paragraph(str):
    """A string that Jupyter and the pages show as a paragraph, its text escaped."""

    def _repr_html_(self) -> str:
        return f'<p class="so-what">{escape(self)}</p>'


class NotApplicable(str):
    """Why a section has nothing to show: Jupyter shows the reason, a page leaves the whole section out."""

    def _repr_html_(self) -> str:
        return f'<p class="nothing">{escape(self)}</p>'


def not_applicable(reason: str) -> NotApplicable:
    """What a section shows where it does not apply."""
    return NotApplicable(reason)


def paragraph(*sentences: str) -> Paragraph:
    """The sentences as one paragraph; empty ones are left out."""
    return Paragraph(" ".join(sentence for sentence in sentences if sentence))
