"""Customers whose stories show what becomes of them: kept and broken words, matters that come back, moods, leaving.

Each is in the middle of something when the demo begins: whoever opens the card takes over from a colleague.
"""

from cxhub.demo.screenplay import Person, person

# Who left after the purchase: he wrote, waited for days, asked again by telephone, and closed his account.
LOST = (
    ("C-1311", "Инна Соколова", 1311, 168, 96, "pour-over", "Заменить фильтр по гарантии", 1),
    ("C-1312", "Максим Ершов", 1312, 151, 88, "grinders", "Не включается после чистки", 2),
    ("C-1313", "Альбина Юсупова", 1313, 139, 71, "espresso-autumn", "Где возврат за второй пакет?", 3),
    ("C-1314", "Егор Панкратов", 1314, 122, 52, "grinders", "Скрежет на мелком помоле", 1),
    ("C-1315", "Дарья Климова", 1315, 104, 33, "espresso-autumn", "Течёт бак, второй раз", 2),
    ("C-1316", "Арсений Вольский", 1316, 90, 24, "pour-over", "Пришла чужая насадка", 4),
)
LEAVING = """
{bought} 12:00 order> {{all order=AB-2{number}:8990 utm=yandex:cpc:{campaign}}} Заказ с сайта
{served} 15:00 crm= {{order=AB-2{number} arrived}} Заказ доставлен
{asked} 10:00 form> {{request=E-{number} mood=-1}} Вопрос с сайта: «{words}»
{again} 09:30 call> {{missed mood=-1}} Ждал на линии, не дождался
{again} 18:00 chat> {{mood=-1}} Я писал вам {days} дня назад. Есть кто живой?
{answered} 16:40 sms< {{anna}} Простите за ожидание! Мастер свободен на следующей неделе.
{scored} 12:00 ces> {{score={ces}}} Пришлось напоминать три раза
{left} 11:00 crm= {{lost=Долго_ждал_ответа}} Попросил удалить карту лояльности
"""


def leaving(crm: str, name: str, number: int, bought: int, asked: int, campaign: str, words: str, ces: int) -> Person:
    days = 2 + number % 3
    story = LEAVING.format(
        number=number,
        campaign=campaign,
        words=words,
        days=days,
        ces=ces,
        bought=bought,
        served=bought - 3,
        asked=asked,
        again=asked - days,
        answered=asked - days - 2,
        scored=asked - days - 3,
        left=asked - days - 5,
    )
    return person(crm, name, f"phone:+7999000{number} email:c{number}@pochta.example device:web-{number}", story)


PEOPLE: list[Person] = [
    *(leaving(*one) for one in LOST),
    # Taken over from Igor: a broken word, a second one that is due, a matter that came back, a low score.
    person(
        "C-1301",
        "Виктор Лебедев",
        "phone:+79990001301 email:v.lebedev@pochta.example max:720001301 loyalty:L-2301",
        """
        96 19:20 form> {all utm=yandex:cpc:espresso-autumn birthday=99} Заявка с сайта: «Подберите машину для дома»
        95 11:00 call< {6:20 igor mood=1} Подобрали «Искра 500», попробует в магазине
        93 18:10 shop> {mood=1} Пробовал три сорта, понравилась Колумбия
        92 12:00 order> {order=AB-22001:54500 utm=direct:none:shop} Кофемашина «Искра 500»
        90 15:00 crm= {order=AB-22001 arrived} Заказ доставлен
        74 20:00 nps> {score=9} Кофе отличный, Игорь всё объяснил
        13 10:05 call> {4:40 igor mood=-1 request=2301 passed=anna:igor given=serial:IS500-7781
            expect=Перезвонить_в_тот_же_день outcome=missed seen=30h} Течёт из-под группы. Третий раз
            рассказывает историю
        13 10:15 note= {igor promise=callback due=6h what=Перезвонить_с_датой_мастера} Обещал перезвонить до вечера
        11 09:12 call> {missed mood=-1} Ждал 52 секунды
        11 09:40 mail> Обещали перезвонить | Здравствуйте. Третий день никто не звонит, машина течёт. ¶ Виктор
        11 10:20 call< {2:15 igor promise=visit due=50h what=Мастер_приедет_до_обеда} Извинился. Мастер приедет
            послезавтра до обеда
        9 11:15 shop> {igor as=phone} Мастер был дома: заменил прокладку группы
        9 12:00 crm= {igor request=2301:solved} Заявка 2301 закрыта
        6 20:30 max> {mood=-1 request=2301:reopened given=serial:IS500-7781} Снова течёт. Я больше не хочу
            рассказывать всё сначала
        5 10:10 max< {igor promise=callback due=146h what=Позвонить_с_решением_о_замене_машины} Виктор, согласую
            замену машины и позвоню вам сам, с решением.
        5 12:00 csat> {score=2} Вежливо, но проблема осталась
        2 17:30 note= {igor} Замену машины одобрили, новая на складе с понедельника. Ухожу в отпуск, передаю Анне.
        1 18:45 max> {mood=-1 expect=Решение_без_новых_вопросов} Есть новости?
        """,
    ),
    # Everything went well: promises kept in time, expectations met and exceeded, a lasting wish.
    person(
        "C-1302",
        "Галина Тихонова",
        "phone:+79990001302 email:tihonova@pochta.example loyalty:L-2302",
        """
        200 12:00 buy> {all order=AB-19010:12990 birthday=206} Кофеварка «Гейзер»
        34 11:20 call> {3:10 anna deny=Реклама:*:Сказала_по_телефону expect=Говорить_по_телефону_а_не_писать
            lasting outcome=met mood=1} Не любит почту
        34 11:40 note= {anna promise=callback due=5h what=Узнать_про_жернова} Обещала узнать про жернова и позвонить
        34 14:05 call< {2:20 anna expect=Узнать_сегодня outcome=exceeded mood=1} Жернова есть, отложили
        33 17:00 buy> {order=AB-21777:2490} Жернова
        33 18:00 ces> {score=7} Всё решили за два звонка
        2 11:00 call> {1:40 anna expect=Доставка_к_празднику} Заказывает подарок подруге
        2 11:10 note= {anna promise=callback due=73h what=Подтвердить_доставку_подарка} Позвонить и подтвердить доставку
        """,
    ),
    # Asked, was not answered, complained, left; the answer that was promised never came.
    person(
        "C-1303",
        "Руслан Гареев",
        "phone:+79990001303 email:gareev@pochta.example vk:710001303",
        """
        150 10:00 order> {all order=AB-19711:8990 utm=vk:social:grinders} Кофемолка «Жернов»
        64 10:00 form> {complaint mood=-1} Жалоба с сайта: кофемолка снова встала. Жду ответа сегодня.
        62 09:00 call> {missed mood=-1} Ждал 71 секунду
        62 09:30 call> {missed mood=-1} Ждал 40 секунд
        61 20:00 vk> {mood=-1} Третий день молчите
        60 12:30 vk< {kate promise=answer due=24h what=Ответ_по_гарантии} Руслан, ответим по гарантии завтра.
        57 21:10 review> {score=1 mood=-1 topic=Ответы feeling=-1} Молчат неделями. Больше не приду.
        56 12:00 nps> {score=0} Обещали ответить и пропали
        55 15:00 crm= {lost=Ушёл_к_другому_магазину} Закрыл карту лояльности
        """,
    ),
    # Solved for good; her last letter says a promise that nobody has confirmed yet.
    person(
        "V-3301",
        "Austėja Mažeikaitė",
        "phone:+37060001301 email:austeja@pastas.example whatsapp:37060001301",
        """
        88 12:00 order> {all order=AB-50510:189.00 utm=google:cpc:kava-namams birthday=93} Kavos aparatas „Lašas“
        85 17:00 crm= {order=AB-50510 arrived allow=Naujienlaiškis:email:Varnelė_užsakyme} Pristatyta į paštomatą
        20 09:30 wa> {request=LT-77 mood=-1} Aparatas nebešildo vandens. Ar turiu vežti pati?
        20 10:05 wa< {rasa promise=answer due=4h what=Parašyti_ar_atvažiuos_kurjeris} Austėja, sužinosiu ir parašysiu.
        20 12:10 wa< {rasa mood=1} Kurjeris atvažiuos rytoj, vežti nereikia.
        17 15:00 crm= {rasa request=LT-77:solved} Sutaisyta: pakeistas termostatas
        16 18:00 csat> {score=5} Greitai ir mandagiai
        16 18:05 review> {score=5 topic=Taisymas feeling=1} Kurjeris, taisymas ir pristatymas per tris dienas
        15 10:00 review< {kate} Ačiū, Austėja!
        1 16:20 wa> {expect=Sąskaita_su_PVM} Ar galite atsiųsti sąskaitą su PVM kodu?
        1 16:40 wa< {rasa} Taip, rytoj iki pietų atsiųsiu.
        """,
        home="vilnius",
    ),
    person(
        "V-3302",
        "Darius Butkus",
        "phone:+37060001302 email:darius@pastas.example",
        """
        41 10:00 form> {all utm=facebook:social:ruduo} Užklausa: „Kiek kainuoja aparatas biurui?“
        40 11:30 call< {no-answer}
        39 10:00 call< {2:30 tomas promise=answer due=24h what=Atsiųsti_pasiūlymą_biurui} Norėtų pasiūlymo raštu
        36 09:10 call> {1:05 tomas mood=-1 complaint told=solved topic=Pasiūlymas} Pasiūlymo negavo, skundžiasi
        36 09:30 mail< {tomas} Pasiūlymas biurui | Laba diena! Atsiprašome, pasiūlymas žemiau.
        35 09:00 ces> {score=2} Du kartus turėjau priminti
        35 14:00 re> Ačiū, svarstysime.
        """,
        home="vilnius",
    ),
    person(
        "V-3303",
        "Helen Ashworth",
        "phone:+442079460112 email:helen@mail.example whatsapp:442079460112",
        """
        70 09:00 order> {all order=AB-50602:84.00 allow=Newsletter:email:Box_at_the_order
            utm=newsletter:email:autumn birthday=74} Filter coffee set
        66 12:00 crm= {order=AB-50602 arrived} Delivered in London
        24 10:00 wa> {request=EN-9 topic=Packaging feeling=-1 told=told mood=-1} The bag was torn, and half of the
            beans are in the box.
        24 11:00 wa< {kate promise=message due=24h what=Write_when_the_new_bag_ships} So sorry, Helen. A new bag is
            on its way, and I will write to you tomorrow when it ships.
        24 16:00 wa< {kate} Shipped today, here is the tracking number.
        19 09:00 crm= {kate request=EN-9:solved} Told her that all bags are boxed twice now
        18 20:00 nps> {score=8} Quick, and they changed the packaging
        3 09:00 order> {order=AB-50702:42.00} Two bags of the house blend
        """,
        home="vilnius",
    ),
]
