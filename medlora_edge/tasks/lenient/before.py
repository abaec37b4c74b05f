"""The words right before a mention that make it an answer: "the answer is", "I would choose", "therefore".

Each pattern ends where the mention begins. No pattern repeats a repetition and every gap is bounded, so the
work per mention is constant.
"""

import re

from medlora_edge.tasks.lenient.symbols import NOT_ANY

_FILL = (
    r"(?:(?:therefore|thus|hence|then|now|still|just|simply|clearly|definitely|certainly|obviously|indeed|really"
    r"|actually|in fact|most likely|very likely|likely|probably|most probably|almost certainly|overall|best"
    r"|a|an|the|that of|clear|definite|qualified|tentative|cautious|firm|resounding|strong|weak|short|simple|final"
    r"|instead|as follows|labell?ed|given by|to|option|choice|letter|number|going with|going to be|by far"
    r"|tentatively|i think|i believe|i would say)[ :,\n]{1,2}){0,4}"
)
_GAP = rf"[^.!?;\n{NOT_ANY}]{{0,160}}?"
_BE = r"(?:\b(?:is|was|be|being|are|remains|becomes|seems to be|appears to be)|'s)"
_ANSWER = (
    r"answers?(?: (?:letter|choice|option|key|idx|index|text))?|ans\b\.?|choice|selection|response|conclusion|verdict"
    r"|decision|pick|prediction|label|determination|judge?ment|assessment|solution|exception|letter|reply|vote|guess"
    r"|(?:correct|best|right|chosen|selected|my|final|appropriate|remaining|only|last) (?:option|statement|one)"
    r"|(?:option|one) (?:that|which|i)\b|(?:true|false|incorrect) (?:statement|one)"
)
_CLINICAL = (
    r"diagnosis|steps?|treatment|management|cause|mechanism|therapy|drug|agent|tests?|explanation|finding|medication"
    r"|option|intervention|approach|choice|organism|structure|statement|one|factor|site|type|complication|action"
)
_CHOICE_VERBS = (
    r"(?:choos(?:e|ing)|chose|pick(?:ed|ing)?|select(?:ed|ing)?|go(?:ing)? (?:with|for)|opt(?:ing)? for|answer"
    r"|settled? (?:on|for)|lean(?:ing)?(?: more)?(?: strongly)?(?: towards?| to)?|answer (?:the |this )?question with"
    r"|vote(?: for)?|st(?:ick|ay) with|favou?r|prefer|commit to|respond|finali[sz]e|mark|bet on)"
)
_OPINION_VERBS = r"(?:call (?:it|this|that)|say|conclude|think|believe|guess|suspect)"
_SUBJECT = (
    rf"(?:\b(?:i|we|i'd|i'll|i'm|we'd|we'll|let's|let me|should|would|to|must)\b[^.!?;\n{NOT_ANY}]{{0,40}}? "
    r"|(?:^|[.!?:\n,;-] ?|\bso ))"
)
_LINKED = rf"(?:that |with )?(?:it's |it is |it would be |it |is )?{_FILL}$"
_REVISION = (
    r"wait|actually|correction|sorry|apologies|i me(?:an|ant)|scratch that|instead|(?:up)?on (?:further )?reflection"
    r"|on second thoughts?|make (?:that|it)|hold on|reconsider\w*|re-?think\w*|re-?evaluat\w*|re-?examin\w*"
    r"|re-?read\w*|look(?:ing)?(?: \w+){0,5} again|check again|double[- ]?check\w*|mistake\w?|mistaken|misread"
    r"|i was wrong|that was wrong|that's (?:wrong|not right)|oops|hmm+|chang(?:e|ed|ing) my|switch\w*"
    r"|revis(?:e|ed|ing|ion)|corrected|i take that back|no,|no\.|after all|on closer"
)


def _pattern(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.IGNORECASE)


FIELD = _pattern(
    rf"\b(?:{_ANSWER}|output|final|correct|result|diagnosis|summary|impression|interpretation|bottom line|tl;?dr|key)"
    r"(?: is| was)?(?: to (?:the |this )?question(?: \d{1,4})?)?(?: ?\([^()\n]{0,60}\))?"
    rf" ?(?:\n|(?:[:=]|->|=>|-)[ \n]?){_FILL}$|\b(?:answer|ans\.?) $"
)
COPULA = _pattern(rf"\b(?:{_ANSWER})\b{_GAP}{_BE} ?:? ?{_FILL}$")
BEST = _pattern(
    r"\b(?:most appropriate|best|correct|right)\b(?: \w{1,20}){0,3} "
    rf"(?:{_CLINICAL})\b{_GAP}{_BE} ?:? ?{_FILL}$"
)
CHOICE = _pattern(rf"{_SUBJECT}{_CHOICE_VERBS} {_LINKED}")

CORRECTION = _pattern(
    rf"\b(?:{_REVISION}|rather)[,:.!\s-]{{0,5}}(?:it is |it's |it should be |that should be |to |the answer is "
    rf"|(?:my |the )?(?:answer|choice|mind) to |i'd say |no[,.] )?{_FILL}$"
)
OPINION = _pattern(rf"{_SUBJECT}{_OPINION_VERBS} {_LINKED}")
IT_IS = _pattern(
    r"(?:^|[\s,;:(.-])(?:it|this|that)"
    r"(?:'s|(?: (?:must|should|would|will|might|may|could|has to|can only)(?: also)?)? (?:be|is|was)"
    rf"| looks like| seems(?: to be)?| appears to be) {_FILL}$"
)
EVIDENCE = _pattern(
    r"\b(?:leav(?:es?|ing)|left with|point(?:s|ing)? to(?:wards?)?|suggests?|supports?|indicates?|means|implies"
    r"|favou?rs?|yields|gives|corresponds? to|corresponding to|match(?:es|ing)|which is|that is|namely"
    r"|(?:consistent|compatible) with|(?:typical|suggestive|indicative|diagnostic|characteristic|answer|verdict) of"
    r"|(?:likely|probably) (?:has|have|is)|(?:i|we)(?: would|'d| will|'ll| should)"
    rf"|(?:data|study|evidence|results?|trial|abstract) sa(?:y|ys|id)) (?:us with |me with |us |only )?{_FILL}$"
)
CONCLUSION = _pattern(
    r"(?:\b(?:so|therefore|thus|hence|in (?:conclusion|short|summary|sum|brief|a word|one word)|overall|ultimately"
    r"|to (?:conclude|summari[sz]e)|finally|consequently|accordingly|on balance|all in all|conclusion)[,:]? "
    rf"|-> ?|=> ?|\u2713 ?){_FILL}$"
)
CLINICAL = _pattern(
    r"\b(?:most|next|likely|first-line|the)\b(?: \w{1,20}){0,4} "
    rf"(?:{_CLINICAL})\b{_GAP}{_BE} ?:? ?{_FILL}$"
)

FIRM = (FIELD, COPULA, BEST, CHOICE)
NEEDS_BOUNDARY = (CORRECTION, OPINION, IT_IS, EVIDENCE, CONCLUSION, CLINICAL)

SUBJECT_START = _pattern(
    r"(?:^|[.,;:!?\n(-] ?|\b(?:that|so|hence|therefore|thus|and|but|think|believe|say|only|conclude|since|because|means"
    r"|while|whereas|why|is|however|actually|here|instead|option|feel|agree|making|makes) )$"
)
NEGATION = _pattern(
    r"(?:\b(?:not|never|neither|nor|than|over|instead of|against|unlike|versus|vs\.?|except(?: for)?|excluding"
    r"|exclude[sd]?|eliminat(?:e[sd]?|ing)|rul(?:e[sd]?|ing) out|reject(?:s|ed|ing)?|without|isn't|wasn't|cannot be"
    r"|can't be|between|whether|unless|dismiss(?:ed|ing)?|discard(?:ed|ing)?)|n't)"
    r" (?:(?:be|say|choose|pick|select|simply|just|necessarily|a|an|the|clear|definite|even) ){0,3}$"
)
DENIAL = _pattern(r"\b(?:(?:is|was|be) not|isn't|wasn't) (?:the |an? )?$")
IN_PASSING = _pattern(
    r"\b(?:consider|about|at|evaluat\w+|discuss|regarding|options?|choices?|to|of|with|like|analy[sz]e|for|and|or) $"
)
OPENING = _pattern(
    r"\W{0,6}(?:(?:sure|certainly|okay|ok|well|hmm|so|of course|absolutely|definitely|probably|most likely|likely"
    r"|clearly|thus|therefore|the|i think|i believe|unfortunately|surprisingly|in short|overall|a|an|option|choice"
    r"|clear|definite|definitive|resounding|qualified"
    r"|letter|tentatively|cautiously)[,.!: ]{1,3}){0,3}"
)
REVISION = _pattern(rf"\b(?:{_REVISION})")
