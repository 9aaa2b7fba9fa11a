"""Promises suggested from what was written to a customer, in Russian, Lithuanian and English; a person confirms them.

A sentence promises if it says in the future what one of ours will do, and until when. Questions, conditions, doubts,
reports of what somebody said, quoted words and negations promise nothing. Pure, and bounded: at most so many
characters are looked at, in patterns without nested repetition.
"""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from customers.experience.calendar import Calendar
from customers.experience.duewords import MOST, UTC_ZONE, due, find
from customers.experience.plainletters import fold
from customers.models import Interaction

READ = 6_000
"""Characters of a text that are read."""
SENTENCES = 80
WRITTEN = ("message", "email", "call", "note")

WE_WILL = r"(?:(?:i|we|he|she|they|someone|somebody|\w{3,20})(?:'ll| will| shall)|will|(?:am|are|'m|'re) going to)"
YOU_WILL = r"you(?:'ll| will) (?:\w{2,9} )?"
SOON = r" (?:(?:then|also|personally|definitely|certainly|gladly|surely|just|try|be|have|get|give|send|let) ){0,2}"
OURS = (
    r"(?:менеджер|специалист|коллег|оператор|мастер|инженер|сотрудник|курьер|врач|администратор|vadybinink|specialist"
    r"|koleg|meistr|darbuotoj|operator|kurjer|inzinieri|jums|jumis|su jumis|вам|с вами)\w{0,4}"
)


@dataclass(frozen=True, slots=True)
class Verbs:
    """What one kind of promise is said with; `others` counts only where one of ours is the subject."""

    kind: str
    own: re.Pattern[str]
    others: re.Pattern[str]
    english: re.Pattern[str]


def verbs(kind: str, own: str, others: str, english: str) -> Verbs:
    return Verbs(
        kind,
        re.compile(rf"(?<!\w)(?:{own})(?!\w)"),
        re.compile(rf"(?<!\w)(?:{others})(?!\w)"),
        re.compile(rf"(?<![\w'])(?:{english})(?!\w)"),
    )


VERBS = (
    verbs(
        "callback",
        r"(?:пере|по|со)звон(?:ю|им|имся)|наберу|наберем|(?:su)?(?:per|pa)?skambin(?:siu|sime|sim)",
        r"(?:пере|по)звон[ия]т|наберет|(?:per|pa)skambins",
        rf"{WE_WILL}{SOON}(?:call|phone|ring|(?:you )?a call|you a ring)"
        rf"|{YOU_WILL}(?:get|receive|have) (?:a |our )?(?:call|phone call)"
        r"|calling you back|(?:expect|await) (?:a|our|my) (?:call|phone call)",
    ),
    verbs(
        "answer",
        r"отвечу|ответим|(?:на|от|до)?пиш(?:у|ем)|отпи(?:шусь|шемся)|сообщ(?:у|им)|при(?:шлю|шлем)|вы(?:шлю|шлем)"
        r"|отправ(?:лю|им)|пере(?:шлю|шлем)|скин(?:у|ем)|да(?:м|дим) (?:вам )?(?:знать|ответ)"
        r"|верн(?:усь|емся) (?:к вам )?с \w{4,20}|atsaky(?:siu|sime)|parasy(?:siu|sime)|atsiu(?:siu|sime)"
        r"|issiu(?:siu|sime)|persiu(?:siu|sime)|informuo(?:siu|sime)|pranes(?:iu|ime)|duo(?:siu|sime) zinia"
        r"|pateik(?:siu|sime)",
        r"ответ[ия]т|напиш[еу]т|сообщ[иа]т|при(?:шлет|шлют)|atsakys|parasys|atsius|informuos|pranes",
        rf"{WE_WILL}{SOON}(?:reply|respond|answer|write|e-?mail|text|message|send|update|know|you know"
        r"|back to you|come back to you|confirm|inform|you an answer|you the)"
        rf"|{YOU_WILL}(?:hear (?:back )?from|get|receive|have) (?:\w{{1,9}} )?(?:us|me|answer|reply|response|update)"
        r"|(?:вы )?получите (?:\w{2,9} )?(?:ответ|письмо)\w{0,3}|gausite (?:\w{2,9} )?(?:atsakym|laisk)\w{0,3}",
    ),
    verbs(
        "any",
        r"свяж(?:усь|емся)|верн(?:усь|емся) к вам|susisiek(?:siu|sime)|grisi[mu]e? pas jus",
        r"свяж(?:ет|ут)ся|susisieks",
        rf"{WE_WILL}{SOON}(?:contact|in touch|reach out|follow up|you an? update)",
    ),
    verbs(
        "visit",
        r"(?:при|подъ|за)ед(?:у|ем)|зайд(?:у|ем)|atvyk(?:siu|sime)|atvaziuo(?:siu|sime)|uzsuk(?:siu|sime)",
        r"(?:при|подъ)ед(?:ет|ут)|atvyks|atvaziuos",
        rf"{WE_WILL}{SOON}(?:come (?:by|over|to you)|visit|arrive|there)",
    ),
    verbs(
        "delivery",
        r"достав(?:лю|им)|привез(?:у|ем)|отгруз(?:им|жу)|pristaty(?:siu|sime)|atve(?:siu|sime)",
        r"достав[ия]т|привез(?:ет|ут)|pristatys|atves",
        rf"{WE_WILL}{SOON}(?:deliver|ship|dispatch)",
    ),
    verbs(
        "task",
        r"(?:верн(?:у|ем)|исправ(?:лю|им)|реш(?:у|им)|сдела(?:ю|ем)|провер(?:ю|им)|уточн(?:ю|им)|подготов(?:лю|им)"
        r"|замен(?:ю|им)|оформ(?:лю|им))|grazin(?:siu|sime)|sutvarky(?:siu|sime)|patikrin(?:siu|sime)|isspres(?:iu|ime)"
        r"|paruos(?:iu|ime)|pakeis(?:iu|ime)",
        r"верн(?:ет|ут)|исправ[ия]т|grazins|sutvarkys|patikrins",
        rf"{WE_WILL}{SOON}(?:refund|fix|solve|resolve|check|prepare|replace|sort)",
    ),
)
# One look at a text tells for most of them that nothing is promised there.
BEGINNINGS = frozenset(
    re.findall(
        r"\w+",
        "atsa atsi atva atve atvy duos graz gris info issi issp pake para paru pask pate pati pers pran "
        "pris skam supa supe susi susk sutv uzsu верн вышл дади дам допи дост заед зайд заме испр набе "
        "напи отве отгр отпи отпр офор пере пише пишу подг подъ позв прив прие приш пров реши решу свяж "
        "сдел скин созв сооб уточ ",
    )
)
"""The first four letters of each word that a promise is made with."""
BEGIN = re.compile(r"\b\w{3,4}")
IN_ENGLISH = ("will", "'ll", "shall", "going to", "calling", "expect", "await", "получите", "gausite")
"""A part of each of the English patterns."""
NO = re.compile(
    r"(?<!\w)(?:не(?! (?:позднее|позже|более|дольше))|ни|not(?! later)"
    r"|won't|can't|cannot|unable|never|unless"
    r"|если|ежели|когда|как только|при условии|после того как"
    r"|if|when|whenever|once|provided|as soon as|jei|jeigu|kai|kuomet|nebent|kol"
    r"|возможно|может быть|наверное|вероятно|постара\w{2,5}|попроб\w{2,5}|maybe|perhaps|might|may be|try to|hope\w{0,2}"
    r"|galbut|gal|pasisteng\w{2,6}|pabandy\w{2,6}|tiketina"
    r"|обеща\w{1,5}|сказал\w{0,2}|говорил\w{0,2}|писал\w{0,2}|ответил\w{0,2}|said|promised|told|wrote"
    r"|sake|zadejo\w{0,3}|rase\w{0,3}|sakete|вчера|vakar|yesterday|должны были|turejo|were supposed)(?!\w)"
)
MAY = re.compile(r"(?<!\w)(?:we|i|you|they|he|she) (?:may|could|would|should)(?!\w)")
ABBREVIATED = re.compile(r"(?<!\w)(val|min|мин|ч|час|d|д|г|т|e|p|a|m|pvz|ул|тел|tel|mr|mrs|nr)\.")
QUOTES = re.compile(r"«[^»]{0,1000}»|„[^“”]{0,1000}[“”]|“[^”]{0,1000}”|\"[^\"]{0,1000}\"")
CITED = re.compile(r"(?m)^[ \t]{0,3}[>|].{0,2000}$")
ENDS = re.compile(r"[.!?…]{1,3}(?=\s|$)|[\n;]")
SPACES = re.compile(r"\s{1,20}")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`words`: those of the text that say until when."""

    what: str
    kind: str
    due_at: datetime
    words: str


def suggestion_of(line: Interaction, calendar: Calendar | None, zone: tzinfo = UTC_ZONE) -> Suggestion | None:
    """Of a line that went to the customer or was noted of him; others promise nothing."""
    return suggested(line.direction, line.kind, line.text, line.occurred_at, calendar, zone)


def suggested(
    direction: str, kind: str, text: str, said: datetime, calendar: Calendar | None, zone: tzinfo = UTC_ZONE
) -> Suggestion | None:
    if direction != "outbound" or kind not in WRITTEN or not text:
        return None
    return suggest(text, said, calendar, zone)


def suggest(text: str, said: datetime, calendar: Calendar | None = None, zone: tzinfo = UTC_ZONE) -> Suggestion | None:
    """The first promise of a text that was written at `said`; None if there is none."""
    here = said.astimezone(calendar.zone if calendar else zone)
    whole = text[:READ]
    folded = fold(whole).replace("’", "'")
    if not may_promise(folded):
        return None
    folded = blanked(ABBREVIATED.sub(lambda match: match[1] + " ", folded))
    for start, end in sentences(folded):
        sentence = folded[start:end]
        kind = promised(sentence)
        when = find(sentence, here) if kind else None
        if when is None or (until := due(when, here, calendar)) <= said:
            continue
        what = SPACES.sub(" ", whole[start:end]).strip(" ,:–—-")[:200]
        return Suggestion(what, kind, until, whole[start + when.start : start + when.end].strip())
    return None


def may_promise(folded: str) -> bool:
    """Whether a word of it could be one that promises."""
    return in_english(folded) or begins(folded)


def in_english(folded: str) -> bool:
    """Whether one of the English patterns could be in it."""
    return any(part in folded for part in IN_ENGLISH)


def begins(folded: str) -> bool:
    """Whether one of the others could be."""
    return not BEGINNINGS.isdisjoint(BEGIN.findall(folded))


def blanked(folded: str) -> str:
    """Without the words of others: what is quoted is spaces."""
    for pattern in (CITED, QUOTES):
        folded = pattern.sub(lambda match: " " * len(match[0]), folded)
    return folded


def sentences(folded: str) -> list[tuple[int, int]]:
    """Where the sentences are that ask nothing."""
    found, start = [], 0
    for match in ENDS.finditer(folded):
        if "?" not in match[0]:
            found.append((start, min(match.start(), start + MOST)))
        start = match.end()
    found.append((start, min(len(folded), start + MOST)))
    return found[:SENTENCES]


def promised(sentence: str) -> str:
    """The kind of what a folded sentence promises; empty for none."""
    english, begun = in_english(sentence), begins(sentence)
    if not (english or begun) or NO.search(sentence) or MAY.search(sentence):
        return ""
    for verb in VERBS:
        if (begun and verb.own.search(sentence)) or (english and verb.english.search(sentence)):
            return verb.kind
        if begun and verb.others.search(sentence) and re.search(OURS, sentence):
            return verb.kind
    return ""
