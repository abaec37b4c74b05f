"""Finds where a response names an option by its letter, and leaves "a patient" and "vitamin D" alone."""

import re
from collections.abc import Mapping, Sequence

from medlora_edge.tasks.lenient.markup import without_emphasis
from medlora_edge.tasks.lenient.option_texts import mark_texts, searchable
from medlora_edge.tasks.lenient.symbols import LETTER, NOBODY, TEXT, Kind, place_of, symbol

_GOES_ON = re.compile(
    r"alone|although|and|answers|appears|are|as|based|because|being|best|better|but|by|cannot|"
    r"describes|due|fits|for|from|given|has|here|i|if|in|instead|is|isn't|it|looks|makes|"
    r"matches|must|nor|not|only|or|over|plus|rather|remains|seems|should|since|so|than|then|"
    r"therefore|thus|to|was|wasn't|when|where|whereas|which|while|wins|with|would",
    re.IGNORECASE,
)
_SENTENCE_STARTS = re.compile(
    r"as|because|he|in|it|patients|she|since|that|the|these|this",
    re.IGNORECASE,
)

_NAMES = r"(?i:\b(?:options?|choices?|letter|alternative|answer (?:choice|option)))"
_QUOTED = re.compile(r"(?<![\w'])(?P<quote>[\"'`$]|\*{1,3}) ?\(?(?P<letter>[A-Za-z]) ?[).:,]? ?(?P=quote)(?!\w)")
_BRACKETED = re.compile(r"(?<!\w)[(\[<] ?(?P<letter>[A-Za-z]) ?[)\]>]")
_NAMED = re.compile(rf"{_NAMES} ?\(?(?P<letter>[A-HJ-Z])\)?(?![\w'/-])")
_NAMED_SMALL = re.compile(rf"{_NAMES} \(?(?P<letter>[a-z])\)?(?=\s*(?:$|[.,:;!?\n]|(?:is|was|because)\b))")
_PAIR = re.compile(r"(?<![\w/&])[A-J] ?[/&] ?[A-J](?![\w/&])")
_CAPITAL = re.compile(r"(?<![\w'+&/(\[<-])(?P<letter>[A-HJ-Z])(?![\w'+&*%^]|[-/]\w)")
_SMALL = re.compile(
    r"(?:^|(?<=[:=>])|(?<=[:=>] )|(?<=\bis )|(?<=\bbe )|(?<=\bwith )|(?<=\bchoose )|(?<=\bpick )|(?<=\bselect ))"
    r"(?P<letter>[b-h](?=\s*$)|[a-h](?=[).,:;!])|(?<=[:=>] )a(?=\s*$))",
    re.MULTILINE,
)
_NEXT_WORD = re.compile(r"(?P<stop>\.?) ?(?P<word>[A-Za-z0-9][\w']{0,30})")
_LETTER_THEN_TEXT = re.compile(rf"(?P<letter>{LETTER})(?P<between>[\s.:)\-,(=]{{0,4}})(?P<text>{TEXT})\)?")
_TEXT_THEN_LETTER = re.compile(rf"(?P<text>{TEXT})(?P<between> ?[-(,]? ?)(?P<letter>{LETTER})\)?")
_LINE_ENDS = re.compile(r"[.)]?\s*(?:$|\n)")


def mark_letters(text: str, options: Mapping[str, str]) -> str:
    """`text` (plain lines) with every mention of an option as a symbol: letter, text, or both as one."""
    letters = tuple(options)
    texts = [searchable(option) for option in options.values()]

    def marked(found: re.Match[str]) -> str:
        return symbol(Kind.MARKED, _place(found["letter"], letters))

    def marked_if_known(found: re.Match[str]) -> str:
        known = found["letter"].upper() in letters
        return marked(found) if known else found[0]

    def bracketed(found: re.Match[str]) -> str:
        return marked(found) if found["letter"].isupper() else marked_if_known(found)

    def bare(found: re.Match[str]) -> str:
        place = _place(found["letter"], letters)
        own_text = "" if place == NOBODY else texts[place]
        return symbol(Kind.BARE, place) if _stands_alone(found, own_text) else found[0]

    def joined(found: re.Match[str]) -> str:
        return _join(found, texts)

    text = without_emphasis(_QUOTED.sub(marked_if_known, text))
    text = mark_texts(text, options)
    text = _NAMED.sub(marked, _BRACKETED.sub(bracketed, text))
    text = _NAMED_SMALL.sub(marked_if_known, text)
    text = _PAIR.sub(symbol(Kind.BARE, NOBODY), text)
    text = _SMALL.sub(bare, _CAPITAL.sub(bare, text))
    return _TEXT_THEN_LETTER.sub(joined, _LETTER_THEN_TEXT.sub(joined, text))


def _place(letter: str, letters: Sequence[str]) -> int:
    return letters.index(letter.upper()) if letter.upper() in letters else NOBODY


def _stands_alone(found: re.Match[str], own_text: str) -> bool:
    """Whether what follows the letter shows that it is one: not "A patient", "B cells", "E. coli"."""
    following = _NEXT_WORD.match(found.string, found.end())
    if following is None:
        return True
    word = following["word"]
    if following["stop"] and not word.islower():
        return True
    if len(word) == 1 and word.isupper():
        return word != "I"
    if following["stop"] and _SENTENCE_STARTS.fullmatch(word):
        return True
    return _GOES_ON.fullmatch(word) is not None or word.lower() in own_text.split()


def _join(found: re.Match[str], texts: list[str]) -> str:
    """Letter and option text side by side: one mention if they agree, nobody's if they contradict."""
    letter, text = place_of(found["letter"]), place_of(found["text"])
    if letter == text:
        return symbol(Kind.MARKED, letter)
    if "," in found["between"] or "\n" in found["between"] or letter == NOBODY:
        return found[0]
    if ". " in found["between"] and not _LINE_ENDS.match(found.string, found.end()):
        return found[0]
    if texts[text] in texts[letter]:
        return symbol(Kind.MARKED, letter)
    return symbol(Kind.MARKED, NOBODY)
