"""The words right after a mention that praise, deny or merely touch it: "is the best answer", "is wrong".

Each pattern starts where the mention ends. Gaps are bounded, as in `before`.
"""

import re

from medlora_edge.tasks.lenient.symbols import NOT_ANY

_PRAISE = (
    r"(?:(?:the|my|most|likely|appropriate|only|clearly|therefore|thus|correct|right|final|definitely|probably|better"
    r"|preferred|indeed|so|hence|suitable|accurate|valid|optimal|logical|obvious|best|single|strongest|actually|one"
    r"|almost|certainly|also|equally|what i) ){0,6}"
)


def _pattern(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.IGNORECASE)


BOUNDARY = _pattern(
    r" ?(?:$|[.,;:!)(\]>\n\u2713]|-[ >]|=>|(?:because|since|as|given|due|based|here"
    r"|in this|it is|answer|for sure|(?:from|for|to) me)\b)"
)
TEXT_END = _pattern(r"(?P<mark>[.):,!\]]{0,3})\s*$")
PRAISE = _pattern(
    rf",? ?(?:\([^()\n]{{0,80}}\) )?,?(?: [^.!?,;\n{NOT_ANY}]{{0,80}}? (?:and|so))?"
    r"(?: (?:is|was|are|would be|must be|should be|has to be|seems(?: to be)?|appears(?: to be)?|remains|being) "
    rf"{_PRAISE}(?:correct|right|answer|choice|option|one|best|pick|selection|response|conclusion"
    r"|(?:a )?better(?: fit| choice| answer| option)?"
    r"|would choose|(?:most|more) (?:likely|appropriate|suitable|accurate|consistent|plausible))"
    r"\b(?! (?:about|in that|that|when|if|only|for (?:patients|those)))"
    r"| (?:best (?:fits|explains|matches|describes|answers)|fits (?:the )?best|makes the most sense|wins)\b)"
)
TICK = _pattern(
    rf"[^.!?\n{NOT_ANY}]{{0,80}}?(?:\u2713|[-:(=] ?(?:the |this is |this is the )?(?:correct|right|true)"
    r"(?: answer| choice| option| one)?(?=[).,;!\n -]|$))"
)
DENIAL = _pattern(
    r",? ?(?:\([^()\n]{0,80}\) )?(?:(?:is|are|was|were|would be|would|seems|looks|can|could|may|does|do|has)"
    r"(?: (?:also|clearly|definitely|most likely|likely|probably|therefore|thus|be|been))? ?"
    r"(?:not\b|n't|wrong|incorrect|false|unlikely|less|the least|ruled|excluded|eliminated|out\b|inappropriate"
    r"|contraindicated|never|implausible|insufficient|the wrong|an? (?:wrong|incorrect|distractor|poor))|cannot|can't"
    r"|[-:(] ?(?:this is |is )?(?:incorrect|wrong|false|not (?:correct|right|the|true|indicated|likely))\b|\u2717)"
)
WRONG = _pattern(
    r" (?:is|was) (?:also |clearly )?(?:wrong|incorrect|not (?:correct|right|the (?:right |correct )?answer))\b"
)
IN_PASSING = _pattern(
    r" (?:was|were|had been) (?:my|the) (?:first|initial|original)"
    r"| (?:might|could|may|can) (?:also )?(?:be|seem|look|appear)\b"
)
CONDITION = _pattern(
    r"[)\]]?,? (?:only )?(?:if|unless)\b"
    r"(?! (?:i|we|one|you) (?:look|consider|had to|have to|must|am|were)| forced| pressed"
    r"| anything\b| [^.!?;\n]{1,60}? (?:to|can) be believed\b)"
)
SCORE = _pattern(r" ?[:=] ?(?:[01]?\.\d|\d{1,3} ?%|false\b)")
SMALL_TALK = _pattern(
    r",? ?i(?: can|'ll| will| would be| am|'m| understand|'d be) ?"
    r"(?:happy|able|glad|help|assist|answer|try|provide|do|that)?\b"
    r"(?! (?:confident|convinced|certain|sure that|say|argue|agree|conclude|answer yes))"
    r"|,? ?i(?: cannot| can't| don't know| do not know| won't|'m unable| am unable|'m sorry| am sorry)"
    r"|,? ?(?:or|and) no\b"
)
