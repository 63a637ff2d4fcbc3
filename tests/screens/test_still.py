"""A text that is set again and again: painted where it differs, laid out where its height may be another."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.content import Content

from tui.widgets.still import Still, differs


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield Still()


def test_styles_count_as_a_difference() -> None:
    assert differs(Content("a"), Content("b"))
    assert differs(Content("a"), Content.styled("a", "bold"))
    assert not differs(Content.styled("a", "bold"), Content.styled("a", "bold"))


async def test_only_what_differs_costs_something() -> None:
    app = Host()
    async with app.run_test(size=(40, 5)) as pilot:
        still = app.query_one(Still)
        layouts: list[bool] = []  # an empty text has a line of its own

        def note(content: object, *, layout: bool = True) -> None:
            layouts.append(layout)
            Still.update(still, content, layout=layout)  # type: ignore[arg-type]  # it is a Content

        still.update = note  # type: ignore[method-assign, assignment]
        still.show("one line")
        still.show(Content("one line"))
        still.show(Content.styled("one line", "bold"))
        still.show("another")
        await pilot.pause()
        assert layouts == [False, False, False]

        still.show("two\nlines")
        await pilot.pause()
        assert layouts == [False, False, False, True]
        assert still.size.height == 2
