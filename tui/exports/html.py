"""An export as one HTML page: no scripts, nothing loaded from anywhere, all text escaped."""

from __future__ import annotations

from html import escape

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
body { font: 16px/1.55 system-ui, "Noto Sans CJK SC", sans-serif; }
h2 { margin-top: 2.5rem; font-size: 1.1rem; } h3 { font-size: 1rem; font-weight: normal; opacity: .7; }
blockquote { margin: 0; padding: .2rem 1rem; border-left: 4px solid #3b82f6; }
pre { padding: .8rem 1rem; overflow-x: auto; background: rgba(127, 127, 127, .13); border-radius: 4px; }
code { font: .9em/1.45 ui-monospace, "Noto Sans Mono CJK SC", monospace; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid rgba(127, 127, 127, .4); padding: .25rem .6rem; text-align: left; }
hr { border: 0; border-top: 1px solid rgba(127, 127, 127, .3); margin: 2rem 0; }
@media print { body { margin: 0; max-width: none; } pre { white-space: pre-wrap; } }
"""
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}</body>
</html>
"""


def as_html(markdown: str, title: str, language: str = "en") -> str:
    """A page of an export in Markdown. HTML in it is shown, not obeyed; pictures become links."""
    from markdown_it import MarkdownIt

    # `image` off: a page that is opened must not tell anybody so.
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return _PAGE.format(language=escape(language), title=escape(title), style=_STYLE, body=reader.render(markdown))
