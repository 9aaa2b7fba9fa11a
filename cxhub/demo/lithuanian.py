"""Customers of the shop in Vilnius."""

from cxhub.demo.screenplay import Person, person

STORIES = [
    (
        "V-3001",
        "Ona Kazlauskienė",
        "phone:+37060001012 email:ona@pastas.example loyalty:LT-401",
        """
        80 11:20 buy> {all order=AB-50110:429.00} Kavos aparatas „Kibirkštis 200“
        46 09:05 call> {missed} Laukė 41 sekundę
        46 09:12 call< {2:35 rasa} Perskambinome: aparatas nebeputoja pieno. Siūlėme atvežti trečiadienį.
        44 12:30 back> {order=AB-50110} Priimta garantiniam remontui
        39 15:40 sms< Jūsų aparatas sutaisytas. Gedimino pr. 9, iki 20 val.
        38 17:25 shop> Atsiėmė aparatą
        37 10:00 nps> {score=10} Greita ir malonu, ačiū Rasai!
        11 19:30 mail> Ar turite kavos be kofeino? | Laba diena, ¶ ar Vilniaus parduotuvėje yra pupelių be
            kofeino? ¶ Ona
        10 09:15 re< {rasa} Laba diena, Ona! Taip, turime dvi rūšis. Atidėti?
        10 09:40 re> Taip, vieną pakelį, prašau. Ačiū!
        """,
    ),
    (
        "V-3002",
        "Jonas Petrauskas",
        "phone:+37060001024 email:jonas.p@pastas.example whatsapp:37060001024",
        """
        34 20:15 order> {all order=AB-50302:89.90} Kavamalė „Girna“
        31 18:40 wa> Labas, siunta AB-50302 rodo „pristatyta“, bet jos nėra
        31 18:55 wa< {tomas} Jonai, tikrinu su kurjeriu, parašysiu per valandą.
        31 19:40 wa< {tomas} Kurjeris paliko pas kaimynę iš 14 buto 🙈
        31 19:48 wa> Radau! Ačiū
        30 08:30 csat> {score=4} Išsprendė greitai, bet kurjeris galėjo paskambinti
        """,
    ),
    (
        "V-3003",
        "Giedrė Žukauskaitė",
        "phone:+37060001036 email:giedre@pastas.example telegram:7100003003",
        """
        66 13:00 order> {all order=AB-50188:34.50} Pupelės „Etiopija“, 1 kg
        65 10:30 tg> {contact}
        65 10:31 tg> Sveiki! Ar galima pakeisti pristatymo adresą?
        65 10:40 tg< {rasa} Sveiki, Giedre! Žinoma, į kur?
        65 10:42 tg> Žirmūnų g. 70, Vilnius
        65 10:44 tg> {edit} Žirmūnų g. 72, Vilnius (suklydau numerį)
        65 10:50 tg< {rasa} Pakeista. Rytoj iki pietų.
        64 12:20 tg> {like} ❤
        """,
    ),
    (
        "V-3004",
        "Tomas Vaitkus",
        "phone:+37060001048 email:t.vaitkus@pastas.example",
        """
        55 09:00 crm= {all tomas} Nuomojasi aparatą biurui, sutartis N-12
        54 09:30 mail> {file=nuotrauka.png} Sugedo nuomojamas aparatas | Laba diena, ¶ rodo klaidą E7, nuotrauka
            pridėta. ¶ Tomas Vaitkus
        54 09:50 re< {tomas} Laba diena! Meistras atvyks šiandien 14–16 val.
        54 16:20 note= {tomas} Meistras pakeitė siurblį. Pažadėjau mėnesio nuolaidą.
        53 08:45 re> Veikia, ačiū. Laukiu sąskaitos su nuolaida.
        24 10:10 call> {1:55 tomas} Primena: sąskaita be pažadėtos nuolaidos!
        24 11:00 mail< {tomas file=saskaita-24.pdf} Pataisyta sąskaita | Atsiprašome, siunčiame su nuolaida.
        """,
    ),
    (
        "V-3005",
        "Rūta Jankauskienė",
        "phone:+37060001060 loyalty:LT-405 messenger:24700000000001",
        """
        100 16:10 buy> {all order=AB-50020:12.90} Pupelės „Brazilija“
        48 15:00 buy> {order=AB-50240:12.90} Pupelės „Brazilija“
        12 15:30 buy> {order=AB-50410:25.80} Pupelės „Brazilija“, du pakeliai
        12 19:00 review> {score=5 as=phone} Visada šviežiai skrudinta.
        """,
    ),
    (
        "",
        "Mindaugas Šimkus",
        "phone:+37060001072",
        """
        9 08:20 voice> {1:12 rasa}
        8 16:45 voice> {missed}
        8 16:58 voice< {2:40 rec}
        8 17:05 text< {rasa} Jūsų užsakymas AB-50433 paruoštas. Gedimino pr. 9
        1 09:30 text> Ačiū, atvažiuosiu šeštadienį
        """,
    ),
    (
        "V-3007",
        "Eglė Navickaitė",
        "phone:+37060001084 email:egle.n@pastas.example viber:LtV01demo==",
        """
        21 12:00 order> {all order=AB-50390:64.00} Dovanų rinkinys
        20 09:15 viber> Ar galima įdėti atviruką? 🎁
        20 09:30 viber< {rasa} Žinoma! Ką užrašyti?
        20 09:31 viber> „Mamai, kuri keliasi anksčiausiai“ ☕
        18 10:00 sms< AB-50390 įteikta gavėjui
        17 20:10 nps> {score=9} Mama apsiverkė
        """,
    ),
    (
        "V-3008",
        "Kęstutis Bružas",
        "phone:+37060001096 email:kestutis@pastas.example",
        """
        61 18:00 form> {all} Užklausa iš svetainės: „Ar perkate senus aparatus?“
        60 09:40 call< {no-answer} Neatsiliepė
        60 15:20 call< {2:05 tomas} Sutarėme: atveš apžiūrai penktadienį
        57 16:00 shop> {as=phone} Atvežė „Geizerį 2012“, įvertintas 40 €
        56 09:00 mail< {tomas} Jūsų aparato įvertinimas | Laba diena! 40 € perkant naują aparatą, galioja mėnesį.
        56 09:01 mail> {auto} Atostogauju | Grįšiu pirmadienį. ¶ Kęstutis
        49 10:10 re> Tinka, atvažiuosiu antradienį.
        """,
    ),
    (
        "",
        "Aušra Mockutė",
        "email:ausra@pastas.example",
        """
        26 21:00 mail> Bendradarbiavimas | Sveiki! ¶ Esu tinklaraštininkė, norėčiau parašyti apie jūsų
            skrudyklą. Ar galima apsilankyti?
        25 10:00 re< {kate} Sveiki, Aušra! Kviečiame trečiadienį, skrudiname nuo 8 ryto.
        25 10:30 re> Puiku, būsiu!
        """,
    ),
    (
        "V-3010",
        "Saulius Rimkus",
        "phone:+37052001010 email:saulius@pastas.example",
        """
        130 11:00 crm= {all rasa} Kavinė „Po liepa“, perka didmena
        129 09:00 order> {order=AB-49800:310.00} Pupelės, 10 kg
        99 09:05 order> {order=AB-50031:310.00} Pupelės, 10 kg
        69 09:02 order> {order=AB-50170:310.00} Pupelės, 10 kg
        40 10:30 call> {3:10 rasa} Klausia, kodėl pabrango
        39 09:10 order> {order=AB-50266:335.00} Pupelės, 10 kg
        13 09:20 call< {1:30 rasa} Priminėme apie užsakymą, kavinė remontuojama iki mėnesio pabaigos
        """,
    ),
]
PEOPLE: list[Person] = [person(crm, name, handles, story, home="vilnius") for crm, name, handles, story in STORIES]
