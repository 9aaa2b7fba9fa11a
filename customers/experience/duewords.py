"""Until when, in words: «в течение часа», «per dvi dienas», "by noon tomorrow", as a moment in business time.

A grammar of our own. dateparser 1.5 takes the "We" of "We will call" for Wednesday and "half an hour" for an hour,
finds nothing in «per dvi dienas», «iki penktadienio» and "by end of day", knows no business hours, and needs half a
second to be imported and another for 8,000 characters.

* Minutes and hours count while somebody is there; from 24 hours on the clock counts.
* Counted days and weeks end when that day closes, or the next one that is open; working days count open days only.
* A day that is named (tomorrow, Friday, 5 March) is held as it was named: until it closes, or else until midnight.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from customers.experience.calendar import Calendar
from customers.experience.contacts import micros, moment
from customers.experience.plainletters import fold

UTC_ZONE = ZoneInfo("UTC")
MOST = 400
"""Characters of a sentence that are read."""
FAR = 60
"""Days among which an open one is looked for."""
MINUTE, CLOCK = 60_000_000, 24 * 60


def words(table: str) -> dict[str, float]:
    """`2 два двух, 3 три` as {word: number}, folded."""
    found = {}
    for entry in table.split(","):
        number, *names = entry.split()
        found.update(dict.fromkeys((fold(name) for name in names), float(number)))
    return found


NUMBERS = words(
    "1 один одного одну одной одни viena vieną vieno vienos a an one,2 два двух две пару пары du dvi dviejų dvejų porą"
    " poros two couple,3 три трех tris trys trijų three,4 четыре четырех keturias keturis keturių four,"
    "5 пять пяти penkias penkis penkių five,6 шесть шести šešias šešis šešių six,7 семь семи septynias septynis"
    " septynių seven,8 восемь восьми aštuonias aštuonis aštuonių eight,9 девять девяти devynias devynis devynių nine,"
    "10 десять десяти dešimt dešimties ten,15 пятнадцать пятнадцати penkiolika penkiolikos fifteen,"
    "20 двадцать двадцати dvidešimt dvidešimties twenty,30 тридцать тридцати trisdešimt trisdešimties thirty,"
    "40 сорок сорока keturiasdešimt forty,1.5 полтора полутора pusantros,24 сутки суток"
)
MONTHS = words(
    "1 января sausio january jan,2 февраля vasario february feb,3 марта kovo march,4 апреля balandžio april apr,"
    "5 мая gegužės may,6 июня birželio june jun,7 июля liepos july jul,8 августа rugpjūčio august aug,"
    "9 сентября rugsėjo september sept,10 октября spalio october oct,11 ноября lapkričio november nov,"
    "12 декабря gruodžio december dec"
)
WEEKDAYS = tuple(
    fold(stems)
    for stems in (
        "понедельник|pirmadien|monday",
        "вторник|antradien|tuesday",
        "сред[уыае]|trečiadien|wednesday",
        "четверг|ketvirtadien|thursday",
        "пятниц|penktadien|friday",
        "суббот|šeštadien|saturday",
        "воскресень|sekmadien|sunday",
    )
)
NUMBER = r"(?P<n>\d{1,3}|" + "|".join(sorted(map(re.escape, NUMBERS), key=len, reverse=True)) + ")"
UPTO = r"(?:\d{1,2} ?[-–] ?)?"
MINUTES = r"(?P<minutes>мин(?:ут[ауы]?)?|minut\w{1,3}|minuciu|min|mins)"
HOURS = r"(?P<hours>час(?:а|ов|у|ик|ика)?|ч|valand\w{1,3}|val|hours?|hrs?|h)"
DAYS = r"(?P<days>дн(?:я|еи|и)|день|dien\w{1,3}|d|days?)"
WEEKS = r"(?P<weeks>недел[юьяи]|savait\w{1,3}|weeks?)"
WORKING = r"(?P<working>рабоч\w{2,3} |darbo |(?:business|working|work) )?"
LEAD = (
    r"(?:в течени[еи]|через|в пределах|за|в ближаишие|per|po|uz|artimiausi\w{1,3}|within|inside|in)"
    r"(?: (?:the|next|about|around|under|примерно|максимум|mazdaug))?"
)


def spaced(pattern: str) -> re.Pattern[str]:
    """Whole words; a space stands for one to three, ` ?` for up to three."""
    gaps = re.sub(r" (\??)", lambda gap: r"[\x20\t\xa0]{0,3}" if gap[1] else r"[\x20\t\xa0]{1,3}", pattern)
    return re.compile(r"(?<!\w)(?:" + gaps + r")(?!\w)")


HALF = spaced(
    f"{LEAD} (?:(?P<half>получаса|полчаса|pusvaland\\w{{1,4}}|half an hour|half hour)"
    "|(?P<quarter>четверт[иь] часа|ketvirt[iau]{1,2} valandos|quarter of an hour)"
    "|(?P<more>an hour and a half))"
)
SPAN = spaced(f"{LEAD} (?:{UPTO}{NUMBER}(?:-?х|-?ух|-?ти)? )?(?:of )?{WORKING}(?:{MINUTES}|{HOURS}|{DAYS}|{WEEKS})")
DAYLONG = spaced(f"{LEAD} (?P<n>суток|сутки)")
INVERTED = spaced(f"{MINUTES} через {NUMBER}|{HOURS} через {NUMBER.replace('<n>', '<m>')}".replace("<m>", "<n2>"))
BARE = spaced(f"{UPTO}{NUMBER} {WORKING}(?:{MINUTES}|{HOURS}|{DAYS}|{WEEKS})")

END_OF_DAY = spaced(
    r"(?:до|к) конц[ау] (?:рабочего |сегодняшнего )?дня|в течение (?:рабочего |сегодняшнего )?дня"
    r"|iki (?:darbo )?dienos pabaigos|per diena|by (?:the )?(?:end of (?:the )?(?:business |working )?(?:day|today)"
    r"|close of business)|by eod|by cob"
)
END_OF_WEEK = spaced(
    r"(?:до|к) конц[ау] (?:этои )?недели|на этои неделе|iki (?:sios )?savaites pabaigos|sia savaite"
    r"|(?:by (?:the )?end of )?(?:the|this) week"
)
NEXT_WEEK = spaced(r"(?:на|до конца) следующеи недел[еи]|kita savaite|next week")
NEAR = (
    (2, spaced(r"(?:до |к )?послезавтра|(?:iki )?poryt(?:dienos)?|(?:the )?day after tomorrow")),
    (1, spaced(r"(?:до |к )?завтра|завтрашн\w{2,3} дн?[яюье]\w?|(?:iki )?rytoj(?:aus)?|tomorrow")),
    (0, spaced(r"сегодня|(?:iki )?siandien(?:os)?|today|tonight|this (?:morning|afternoon|evening)")),
)
NAMED = spaced(
    r"(?:(?:в|во|до|к|ко|iki|on|by|before|until|till|this|next|ateinant[ij]\w?)"
    r" )?(?:следующ\w{2,3} |эт[оуи]\w? |kit[aą] |si )?(?:"
    + "|".join(f"(?P<day{place}>(?:{stems})\\w{{0,2}})" for place, stems in enumerate(WEEKDAYS))
    + ")"
)
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
DATED = (
    spaced(r"(?P<y>20\d\d)-(?P<mo>\d\d)-(?P<d>\d\d)"),
    spaced(rf"(?P<d>\d{{1,2}})(?:-?го|st|nd|rd|th)? (?:of )?(?P<month>{MONTH})"),
    spaced(rf"(?P<month>{MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th|-?os|-?tos)?"),
    spaced(r"(?:до|к|iki|by)? ?(?P<d>\d{1,2})\.(?P<mo>0[1-9]|1[0-2])(?:\.(?P<y>20\d\d))?"),
)
PM = r"pm|p\.m\.|вечера|дня|vakaro|in the (?:afternoon|evening)"
AT = (
    spaced(rf"(?P<h>[01]?\d|2[0-3])(?::|\.(?=00|15|30|45))(?P<m>[0-5]\d)(?: ?(?P<pm>{PM})| ?(?:am|a\.m\.))?"),
    spaced(
        rf"(?:(?:в|до|к|около|iki|apie|at|by|before|around|until) )?(?P<h>[01]?\d|2[0-3])"
        rf" ?(?:(?P<pm>{PM})|am|a\.m\.|утра|ryto|часов|час|часа|ч|val|valanda|valandos|o'clock)"
    ),
    spaced(r"(?:by|at|before) (?P<h>1[0-9]|2[0-3]|[7-9])"),
)
PARTS = (
    (time(12), spaced(r"до полудня|в полдень|к полудню|iki vidurdienio|vidurdien\w{1,3}|(?:by|before|at) noon")),
    (time(13), spaced(r"до обеда|к обеду|iki pietu|before lunch|by lunch(?:time)?")),
    (time(18), spaced(r"после обеда|днем|po pietu|(?:this |in the |tomorrow )?afternoon")),
    (time(12), spaced(r"утром|с утра|ryte|is ryto|(?:this |in the |tomorrow )?morning|first thing")),
    (time(21), spaced(r"вечером|до вечера|к вечеру|vakare|iki vakaro|tonight|(?:this |in the |tomorrow )?evening")),
)


@dataclass(frozen=True, slots=True)
class When:
    """What the words say; `start` and `end` are their place in the text."""

    start: int
    end: int
    minutes: float | None = None
    days: int | None = None
    working: bool = False
    day: date | None = None
    at: time | None = None


def due_in_words(text: str, said: datetime, calendar: Calendar | None, zone: ZoneInfo = UTC_ZONE) -> datetime | None:
    """The moment until which the words reach, e.g. of a form; None if they name none."""
    folded = fold(text.strip()[:MOST])
    here = said.astimezone(calendar.zone if calendar else zone)
    found = find(folded, here)
    if found is None and (match := BARE.fullmatch(folded)):
        found = counted(match)
    return None if found is None else due(found, here, calendar)


def find(folded: str, here: datetime) -> When | None:
    """The first time that a folded sentence names; `here` is the local time at which it was said."""
    if match := HALF.search(folded):
        minutes = 30 if match["half"] else 15 if match["quarter"] else 90
        return When(match.start(), match.end(), minutes=minutes)
    if match := END_OF_DAY.search(folded):
        return with_day(When(match.start(), match.end(), day=here.date()), folded, here)
    if match := DAYLONG.search(folded):
        return When(match.start(), match.end(), minutes=CLOCK)
    if match := INVERTED.search(folded):
        number = match["n"] or match["n2"]
        return When(match.start(), match.end(), minutes=amount(number) * (60 if match["hours"] else 1))
    if (match := SPAN.search(folded)) and (match["n"] or not match["working"]):
        return counted(match)
    return on_a_day(folded, here)


def amount(number: str | None) -> float:
    return 1.0 if number is None else NUMBERS[number] if number in NUMBERS else float(number)


def counted(match: re.Match[str]) -> When:
    number = amount(match["n"])
    found = When(match.start(), match.end())
    if match["minutes"] or match["hours"]:
        return replace(found, minutes=number * (60 if match["hours"] else 1))
    return replace(found, days=round(number * (7 if match["weeks"] else 1)), working=bool(match["working"]))


def on_a_day(folded: str, here: datetime) -> When | None:
    """A day, an hour, or an hour of a day; an hour alone is the next one that strikes."""
    day, hour = day_of(folded, here), hour_of(folded)
    if day is None and hour is None:
        return None
    if day is None:
        assert hour is not None
        assert hour.at is not None
        passed = hour.at <= here.time()
        return replace(hour, day=here.date() + timedelta(days=int(passed)))
    if hour is None or hour.at is None or (day.start <= hour.start < day.end and day.day != here.date()):
        return day if hour is None else replace(day, at=hour.at)
    return replace(day, start=min(day.start, hour.start), end=max(day.end, hour.end), at=hour.at)


def with_day(found: When, folded: str, here: datetime) -> When:
    """«До конца дня завтра» is tomorrow's."""
    day = day_of(folded, here)
    return replace(found, day=day.day) if day else found


def day_of(folded: str, here: datetime) -> When | None:
    today = here.date()
    for ahead, pattern in NEAR:
        if match := pattern.search(folded):
            return When(match.start(), match.end(), day=today + timedelta(days=ahead))
    for pattern in DATED:
        if (match := pattern.search(folded)) and (day := dated(match, today)):
            return When(match.start(), match.end(), day=day)
    if match := NAMED.search(folded):
        place = next(int(name[3:]) for name, value in match.groupdict().items() if value)
        ahead = (place - today.weekday() - 1) % 7 + 1
        return When(match.start(), match.end(), day=today + timedelta(days=ahead))
    sunday = 6 - today.weekday()
    for ahead, pattern in ((sunday + 7, NEXT_WEEK), (sunday, END_OF_WEEK)):
        if match := pattern.search(folded):
            return When(match.start(), match.end(), days=ahead, working=False, day=today + timedelta(days=ahead))
    return None


def dated(match: re.Match[str], today: date) -> date | None:
    """A date; without a year the next one of that name."""
    said = match.groupdict()
    month = int(MONTHS[said["month"]]) if said.get("month") else int(said["mo"])
    try:
        found = date(int(said["y"]) if said.get("y") else today.year, month, int(said["d"]))
        return found if said.get("y") or found >= today else found.replace(year=today.year + 1)
    except ValueError:
        return None


def hour_of(folded: str) -> When | None:
    for pattern in AT:
        if match := pattern.search(folded):
            said = match.groupdict()
            hour = int(said["h"]) + (12 if said.get("pm") and int(said["h"]) < 12 else 0)
            return When(match.start(), match.end(), at=time(hour, int(said.get("m") or 0)))
    for at, pattern in PARTS:
        if match := pattern.search(folded):
            return When(match.start(), match.end(), at=at)
    return None


def due(when: When, here: datetime, calendar: Calendar | None) -> datetime:
    """The moment that is meant, counted from local time `here`."""
    said = micros(here)
    if when.minutes is not None:
        length = int(when.minutes * MINUTE)
        by_clock = calendar is None or when.minutes >= CLOCK
        return moment(said + length if by_clock or calendar is None else calendar.after(said, length))
    if when.day is not None and when.at is not None:
        return datetime.combine(when.day, when.at, here.tzinfo)
    if when.day is not None and when.days is None:
        return closing(when.day, here, calendar)
    return closing(last_day(when, here.date(), calendar), here, calendar)


def last_day(when: When, today: date, calendar: Calendar | None) -> date:
    """The day with which counted days end; a week that is named ends with its last open day."""
    days = when.days or 0
    if calendar is None:
        return today + timedelta(days=days)
    if when.day is not None:
        back = (when.day - timedelta(days=ago) for ago in range(7) if when.day - timedelta(days=ago) >= today)
        return next((day for day in back if open_on(day, calendar)), when.day)
    if when.working:
        ahead = [today + timedelta(days=one) for one in range(1, FAR + days)]
        return [day for day in ahead if open_on(day, calendar)][days - 1 : days][0] if days else today
    first = today + timedelta(days=days)
    later = (first + timedelta(days=one) for one in range(FAR))
    return next((day for day in later if open_on(day, calendar)), first)


def open_on(day: date, calendar: Calendar) -> bool:
    return any(True for _ in calendar.spans(day))


def closing(day: date, here: datetime, calendar: Calendar | None) -> datetime:
    """When a day closes; midnight where it never opens, or has closed already."""
    ends = [end for _, end in calendar.spans(day)] if calendar else []
    if ends and max(ends) > micros(here):
        return moment(max(ends))
    return datetime.combine(day + timedelta(days=1), time(0), here.tzinfo)
