"""A café that orders every week by several channels: a long history, written by chance from a fixed seed."""

from random import Random

from cxhub.demo.screenplay import Person, person

WEEKS = 80
GRADES = ("«Эфиопия Гуджи»", "«Бразилия Моджиана»", "«Колумбия Уила»", "«Кения АА»", "«Домашний»")
ASKED = (
    "Добрый день! На эту неделю {kilos} кг, {grade}.",
    "Привет! Как обычно, {kilos} кг. И попробуем {grade}.",
    "Нужно {kilos} кг {grade} до пятницы, получится?",
    "{kilos} кг {grade}, пожалуйста. И стаканы 250 мл, коробку.",
    "Анна, здравствуйте. {kilos} кг {grade}, привезите до открытия 🙏",
)
ANSWERED = (
    "Приняли, заказ {order}. Привезём в четверг до 9:00.",
    "Записала: {kilos} кг, {order}. Спасибо!",
    "Есть, {order}. {grade} обжарим в среду, будет свежее свежего.",
)
CALLED = (
    "Водитель не нашёл въезд, объяснила: со двора, через шлагбаум",
    "Просят добавить два килограмма к пятнице",
    "Уточнили помол под батч-брю",
    "Спросила про отсрочку: до 10-го числа",
    "Кислит новая партия, обещали прислать технолога",
)
RATED = ("Всё вовремя", "Кофе отличный, водитель — золото", "Один раз опоздали, но предупредили", "Стабильно")


def story() -> str:
    chance = Random(1905)  # noqa: S311
    lines = ["564 10:00 crm= {all anna} Кофейня «Зерно и дым», опт, доставка по четвергам"]
    for week in range(WEEKS):
        lines += weekly(chance, week, 562 - 7 * week)
    return "\n".join(lines)


def weekly(chance: Random, week: int, day: int) -> list[str]:
    """Monday the order, Wednesday the bill, Thursday the delivery; now and then a call or a survey."""
    kilos = chance.randint(4, 12)
    words = {"kilos": str(kilos), "grade": chance.choice(GRADES), "order": f"AB-{15000 + 71 * week}"}
    verb = "wa" if week < 40 else "tg"
    minute = chance.randint(10, 59)
    lines = [
        f"{day} 09:{minute} {verb}> " + chance.choice(ASKED).format(**words),
        f"{day} 10:{minute} {verb}< {{anna}} " + chance.choice(ANSWERED).format(**words),
        f"{day - 1} 12:00 order> {{order={words['order']}:{kilos * 1750}}} Зерно, {kilos} кг",
    ]
    if week % 3 == 1:
        seconds = chance.randint(10, 59)
        lines.append(f"{day - 2} 14:{minute} call> {{{chance.randint(0, 4)}:{seconds} anna}} {chance.choice(CALLED)}")
    if week % 2:
        lines.append(f"{day - 3} 08:{minute} sms< Водитель выехал, заказ {words['order']} будет через час")
    if week % 12 == 11:
        lines.append(f"{day - 4} 18:00 nps> {{score={chance.choice((8, 9, 9, 10))}}} {chance.choice(RATED)}")
    if week % 26 == 25:
        lines.append(f"{day - 5} 12:{minute} mail> Акт сверки | Добрый день! Пришлите акт сверки за полугодие.")
        lines.append(f"{day - 5} 15:{minute} re< {{igor file=akt.pdf}} Во вложении.")
    return lines


PERSON: Person = person(
    "C-1900",
    "Кофейня «Зерно и дым»",
    "phone:+79990001900 whatsapp:79990001900 email:lida@dym.example telegram:7100001900",
    story(),
)
