"""How a sentence speaks of an answer: doubting, reporting, conditional, tentative, final."""

import re


def _pattern(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.IGNORECASE)


FINAL = _pattern(r"\b(?:final|ultimate)(?: \w{1,12}){0,4}\W{0,4}(?:is\b|was\b|[:=\n-])")
TENTATIVE = _pattern(
    r"\b(?:initial(?:ly)?|at first"
    r"|first (?:choice|thought|guess|instinct|impression|glance)|originally|original|earlier"
    r"|previous(?:ly)?|tempt\w+|preliminary|tentative(?:ly)?|might|may|could|would have|at a glance|draft"
    r"|(?:was|were) (?:going|about|inclined) to)\b"
)
TURN = _pattern(r"\b(?:but|however|now|on the other hand)\b")
DOUBTED = _pattern(
    r"\b(?:not|cannot|never|(?<!no )doubt|unlikely|unable|refuse|reluctant|hesitate|hard|difficult|impossible|wrong"
    r"|incorrect|unsure|whether|distractor|nobody|false)\b|n't\b"
)
DENIED_WITHIN = _pattern(r"\w \b(?:wrong|incorrect|false|not|least)\b|n't\b")
REPORTED = _pattern(
    r"\b(?:some(?: \w{1,15})?|others?|students?|many(?: \w{1,15})?|most people|one|they|reviewers?|authors?"
    r"|(?:an)?other model|someone|people|physicians|clinicians|participants|patients)"
    r" (?:might|may|could|would|will|often|tend to|argued?|say|said|think|thought|believed?|choose|chose|pick|answered"
    r"|report\w*|claim\w*|suggest\w*|conclude\w*)"
)
CONDITIONAL = _pattern(
    r"^\W*(?:had|were)\b|(?:^\W*|[,;:(] ?|\b(?:and|but|only|so|or|then) )(?:if|unless|suppose|assuming)\b"
    r"(?! (?:i|we|one|you) (?:look|consider|had to|have to|must|am|were)| forced| pressed)"
)
UNSURE = _pattern(r"\b(?:don't know|do not know|not sure|unsure|can't tell|cannot tell|no idea)\b")
