"""Joins mentions that belong together: "A and C", "yes, not no", "neither A nor B", "not A but B"."""

import re

from medlora_edge.tasks.lenient.symbols import ANY, NOBODY, Kind, kind_of, place_of, symbol

_THE = r"(?:the |an? |that of )?"
_NEITHER = re.compile(rf"\bneither {_THE}{ANY},? nor {_THE}{ANY}", re.IGNORECASE)
_PREFERRED = re.compile(
    rf"(?P<kept>{ANY}),? ?\(?(?:and |but )?(?:not|rather than|instead of|over|as opposed to|never) {_THE}{ANY}"
    rf"(?: (?:or|and|nor) {ANY})?\)?"
)
_CORRECTED = re.compile(
    rf"\bfrom {_THE}{ANY} to {_THE}(?P<from_to>{ANY})"
    rf"|\bnot {_THE}{ANY}(?: (?:or|and|nor) {ANY})?,? but (?:rather )?{_THE}(?P<not_but>{ANY})",
    re.IGNORECASE,
)
_JOINT = r"(?:and/or|and|or|plus|as well as|nor)(?: (?:also|possibly|perhaps|even|both))?"
_END = r"$|[.;!?)\n,\]]"
_GROUP = re.compile(
    rf"{ANY}(?:(?:(?:,|\.{{3}})? ?\(?{_JOINT} {_THE}| ?[/&+|]? ?){ANY}\)?"
    rf"|,? but (?:also )?{_THE}{ANY}(?= ?(?:{_END}))|, ?{ANY}(?=,? ?(?:{_END}|{_JOINT} {ANY})))+",
    re.IGNORECASE,
)


def combine(text: str) -> str:
    """`text` with each group of mentions as one: what it prefers, or nobody's when it names several."""
    text = _NEITHER.sub(" ", text)
    text = _PREFERRED.sub(lambda found: found["kept"], text)
    text = _CORRECTED.sub(lambda found: f"actually {found['from_to'] or found['not_but']}", text)
    return _GROUP.sub(_one, text)


def _one(group: re.Match[str]) -> str:
    mentions = re.findall(ANY, group[0])
    places = {place_of(mention) for mention in mentions}
    kind = min(kind_of(mention) for mention in mentions)
    return symbol(Kind(kind), places.pop() if len(places) == 1 else NOBODY)
