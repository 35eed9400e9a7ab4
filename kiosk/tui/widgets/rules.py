"""Every rule of the new PIN with a mark, and in words how many are met, live."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from kiosk.faces.glyphs import marks
from kiosk.faces.visit_wording import merged, of_rule, of_why
from kiosk.faces.wording import say
from kiosk.pin.rules import PinRules, Rule, RuleVerdict


class RuleList(Static):
    """Empty until shown for the first time."""

    DEFAULT_CSS = "RuleList { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._shown: object = None
        self._shape: object = None
        """What decides how much room it takes."""

    def show(
        self, rules: PinRules, verdicts: tuple[RuleVerdict, ...], *, is_same: bool
    ) -> None:
        """Show how the typed value stands to each rule, and to its second entry."""
        judged = any(v.rule is Rule.LENGTH and v.holds for v in verdicts)
        shown = merged(rules, verdicts)
        now = shown, judged, is_same
        if now == self._shown:
            return
        self._shown = now
        lines = [
            _line(of_rule(it.rule, rules), of_why(it), holds=it.holds, judged=judged)
            for it in shown
        ]
        lines.append(_line(say("tui.rules.twice"), "", holds=is_same, judged=False))
        met = sum(verdict.holds for verdict in shown) + is_same
        count = say("tui.rules.met", met=met, all=len(lines))
        if met == len(lines):
            count = say("tui.rules.all_met")
        head = Content.styled(say("tui.rules.title"), "bold")
        whys = [of_why(it) for it in shown if judged and not it.holds]
        shape = whys, met == len(lines)  # marks are as wide as each other
        self.update(
            Content("\n").join([head, *lines, Content(""), Content(count)]),
            layout=shape != self._shape,
        )
        self._shape = shape


def _line(text: str, why: str, *, holds: bool, judged: bool) -> Content:
    """`judged`: long enough that a broken rule is more than not there yet."""
    if holds:
        return Content.assemble((marks().done, "$success"), f" {text}")
    if judged:
        reason = f"\n{' ' * len(marks().failed)} {why}" if why else ""
        return Content.styled(f"{marks().failed} {text}{reason}", "bold $error")
    return Content(f"{marks().open} {text}")
