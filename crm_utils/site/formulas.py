"""Formulas in LaTeX, written as MathML, which browsers show without a script."""

import re
from html import escape
from typing import Any, ClassVar

from jinja2 import pass_context
from jinja2.runtime import Context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser

# A formula that cannot be read is shown as it was typed, in an element of this class
UNREADABLE = "formula"
# A dollar sign before a blank, or before a digit where the formula ends, is money: "from $5 to $6"
INLINE_FORMULA = r"(?<![$\\])\$(?![\s$])(?P<math_inline_tex>[^$\n]+?)(?<![\s\\])\$(?![\d$])"
WRAPPED = re.compile(r"^\s*\$\$?\s*(?:\\displaystyle)?(.*?)\$?\$\s*$", re.DOTALL)


def write_formula(latex: str, block: bool) -> str:
    """Return a formula as MathML.

    Parameters
    ----------
    latex : str
        The formula, with or without dollar signs around it.
    block : bool
        Whether it stands on a line of its own.

    Returns
    -------
    str
        The element. A formula that cannot be read is shown as it was typed.
    """
    wrapped = WRAPPED.match(latex)
    try:
        written = convert(wrapped[1] if wrapped else latex, display="block" if block else "inline")
    except Exception:  # the library has no common error for what it cannot read
        return f'<code class="{UNREADABLE}">{escape(latex)}</code>'
    return f'<div class="scroll">{written}</div>' if block else written


class _InlineParser(MathInlineParser):
    SPECIFICATION: ClassVar[dict[str, str]] = MathInlineParser.SPECIFICATION | {"inline_math_tex": INLINE_FORMULA}


class _Renderer(IPythonRenderer):
    """nbconvert's renderer of markdown, with formulas as MathML."""

    def inline_math(self, body: str) -> str:
        """A formula in a line of text."""
        return write_formula(body, block=False)

    def block_math(self, body: str) -> str:
        """A formula on a line of its own."""
        return write_formula(body, block=True)

    def latex_environment(self, name: str, body: str) -> str:
        """A formula in an environment such as `align`."""
        return write_formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def _embed_image_or_attachment(self, src: str) -> str:
        name = src.removeprefix("attachment:")
        if name != src and name not in self.attachments:
            return src  # reported with the other images that are not there
        return super()._embed_image_or_attachment(src)


class PageExporter(HTMLExporter):
    """nbconvert's exporter of HTML, with formulas as MathML."""

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        """Return markdown as HTML."""
        cell: Any = context.get("cell", {})
        renderer = _Renderer(escape=False, attachments=cell.get("attachments", {}))
        return MarkdownWithMath(renderer, inline=_InlineParser(hard_wrap=False)).render(source)
