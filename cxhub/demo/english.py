"""Customers who write in English, from near and far; the last one closes the history."""

from cxhub.demo.screenplay import Person, person

PEOPLE: list[Person] = [
    person(
        "V-3101",
        "Grace Whitfield",
        "phone:+12025550112 email:grace@mail.example whatsapp:12025550112",
        """
        58 17:00 order> {all order=AB-50201:219.00} Pour-over set, shipped to Washington
        49 16:30 wa> Hi! Tracking for AB-50201 hasn't moved in five days 😟
        49 16:44 wa< {kate} Hi Grace, it is held at customs, they want an invoice. Sending it now.
        47 18:00 wa> Arrived! Nothing broken ☕❤️
        46 10:00 review> {score=5} Survived an ocean and two customs offices.
        """,
        home="vilnius",
    ),
    person(
        "V-3102",
        "נועה לוי",
        "phone:+972500001212 email:noa@mail.example telegram:7100003102",
        """
        43 12:00 order> {all order=AB-50255:74.00} Ethiopia beans, 2 kg
        42 09:20 tg> {contact}
        42 09:21 tg> שלום! Do you ship to Haifa?
        42 09:30 tg< {kate} Shalom Noa! We do, 6 to 9 days.
        42 09:31 tg> תודה רבה 🙏
        30 11:00 tg> {photo} It came, still fragrant
        """,
        home="vilnius",
    ),
    person(
        "V-3103",
        "Lukas Brandt",
        "phone:+4915550001212 email:lukas.brandt@mail.example",
        """
        36 10:00 order> {all order=AB-50299:1290.00} Espresso machine «Iskra 500»
        35 08:30 mail> VAT on order AB-50299 | Hello, ¶ could you reissue the invoice with our VAT number
            DE000000000? ¶ Lukas
        35 09:10 re< {kate file=invoice-299.pdf lang=en} Hello Lukas, of course. The corrected invoice is attached.
        35 09:42 re> {lang=en} Perfect, thank you!
        12 14:20 call> {6:12 kate} The grinder jams on dark roasts; walked him through the burr setting
        12 14:40 note= {kate} Promised to call back on Friday whether the new setting helped.
        9 10:05 call< {1:44 kate} Works. He asks for a second one in spring.
        """,
        home="vilnius",
    ),
    person(
        "V-3104",
        "Zoë O'Connell-García",
        "email:zoe@mail.example device:web-77aa",
        """
        16 19:10 chat> {all} Is the «Girna» grinder quiet enough for a flat with a baby?
        16 19:10 chat< {bot} Hello! It is about 70 dB. Shall I ask a person?
        16 19:11 chat> Yes please 👶
        16 19:20 chat< {kate} Hi Zoë! Put it on the silicone mat: 62 dB, quieter than a kettle.
        15 20:00 order> {order=AB-50401:99.90} Grinder «Girna», silicone mat
        3 20:30 nps> {score=7} Quiet-ish. The baby disagrees.
        """,
        home="vilnius",
    ),
    person(
        "V-3105",
        "Mārtiņš Bērziņš",
        "phone:+37120001212 email:martins@mail.example",
        """
        72 11:00 order> {all order=AB-50150:58.00} Cups, set of six
        70 15:30 call> {1:20 kate} Two cups arrived chipped
        70 15:40 mail> {file=cups.png} Chipped cups, AB-50150 | Photo attached as agreed on the phone. ¶ Mārtiņš
        69 09:00 re< {kate lang=en} Thank you! Two new ones leave today.
        64 12:00 csat> {score=5} No questions asked.
        """,
        home="vilnius",
    ),
    person(
        "C-1201",
        "Anna-Liisa Korhonen",
        "phone:+358501230012 email:al.korhonen@mail.example",
        """
        28 13:00 form> {all} Can I visit the roastery in Yekaterinburg in June?
        27 09:00 mail< {kate} Visiting the roastery | Hello Anna-Liisa! Any Wednesday, we roast from eight.
        27 15:15 re> {lang=en} Wonderful, I will come on the 10th with a friend.
        """,
    ),
    person(
        "",
        "Omar Haddad",
        "telegram:7100001202",
        """
        14 23:40 tg> Hello, the bot says my order does not exist: AB-21333
        14 23:40 tg< {bot} I cannot find AB-21333. A person will look in the morning.
        13 09:05 tg< {kate} Good morning! It is AB-21383, delivered yesterday to the locker.
        13 09:30 tg> {voice 0:05}
        13 09:31 tg> Found it 😅 sorry
        """,
    ),
    person(
        "C-1299",
        "Sofia Marchetti",
        "phone:+393120000012 email:sofia@mail.example",
        """
        2 12:00 order> {all order=AB-21400:2190} Ethiopia, 1 kg
        1 16:10 call> {2:02 kate} Asked how to grind for a moka pot
        1 18:45 nps> {score=10} The nicest phone call of my week.
        """,
    ),
]
