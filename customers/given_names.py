"""First names, one group a line: spellings, short forms and cognates that may all be one person's name.

Only what `names.fold` does not bring together needs writing down (Юлия covers Julia, Yulia and Julija). A short
form stands in every group it may belong to (Саша: Александр, Александра). The forms of Lithuanian, Russian and
English that one person uses side by side share a group (Андрей, Andrius, Andrew); compiled by hand.
"""

from typing import Final

GROUPS: Final = """
Александр Aleksandras Alexander Саша Саня Шура Сашка Сашенька Санёк Alex Alec Sasha Шурик Aleksas Олександр
Александра Alexandra Саша Саня Шура Сашенька Alex Алекса Sandra Олександра Aleksandrė
Алексей Aleksejus Алёша Лёша Лёха Alexis Alex Олексій Леша Алеша
Анастасия Anastazija Настя Настенька Ася Стася Настёна Anastasia Nastė
Анатолий Anatolijus Толя Толик
Андрей Andrejus Andrius Andrew Andy Andreas Андрюша Дрон Андрій Andrzej Andrei
Анна Ona Ann Anne Аня Анечка Нюра Анюта Ганна Annie Hannah Onutė Anita Анета
Антон Antanas Anthony Tony Антоша Тоша Тоха Antonas Antonio Антоний
Антонина Antanina Antonija Тоня Antonia
Анжела Angela Анжелика Angelika Анжелика Ангелина Angelina Лика Angelė
Арина Arina Ирина Irina Ариша Аришка
Аркадий Arkadijus Аркаша
Арсений Arsenijus Сеня Арсен
Артём Artemas Artiomas Тёма Темыч Артемий Artem Artyom Артем
Артур Artūras Arthur Arturas
Борис Borisas Боря Boris
Вадим Vadimas Вадик Vadym
Валентин Valentinas Валя Valentine
Валентина Валя Valentyna Valya
Валерий Valerijus Валера Valery Valerijonas
Валерия Valerija Лера Валера Valerie
Василий Vasilijus Вася Vasyl Basil
Василиса Vasilisa Вася
Вера Vera Verutė Верочка
Вероника Veronika Veronica Ника Вера
Виктор Viktoras Victor Витя Vic
Виктория Viktorija Victoria Вика Vicky Vika
Виталий Vitalijus Vitalis Виталик Vitaly Виталя
Владимир Vladimiras Володя Вова Вовка Володимир Vladimir Вовчик Vova
Владислав Vladislavas Влад Слава Vlad Владик
Всеволод Vsevolodas Сева
Вячеслав Viačeslavas Слава Славик Vyacheslav Viacheslav
Галина Galina Галя Halyna Галочка
Геннадий Genadijus Гена Gennady Генка
Георгий Georgijus Юрий Jurgis George Гоша Жора Гера Егор Jegor Egoras Jurijus Юра Yuri Гога Юрик Юрась
Глеб Glebas
Григорий Grigorijus Гриша Gregory Greg Grigalius Гриня Григорій
Давид David Davidas Dovydas Dave
Даниил Данила Daniel Danielius Danas Даня Данил Daniil Danielis Dan Данила
Дарья Daria Darja Даша Дашенька Dasha Дарина Darina
Денис Denisas Denis Dennis Дэн Деня
Диана Diana Dianna Дина
Дмитрий Dmitrijus Дима Митя Димон Dimitri Dimitrijus Димитрий Димка Dmytro
Евгений Jevgenijus Eugenijus Eugene Женя Gene Жека Eugenius
Евгения Jevgenija Eugenija Eugenia Женя Eugenie
Екатерина Jekaterina Kotryna Katerina Катя Catherine Katherine Kate Katrina Катерина Katažyna Katya Katie Kathy
Елена Jelena Elena Elen Helen Лена Алёна Aliona Alyona Олена Леночка Ленка Helena Elenutė Еленка
Елизавета Jelizaveta Elžbieta Elizabeth Лиза Liza Elizaveta Лизавета Betty Eliza
Захар Zacharas Zachary
Зинаида Zinaida Зина
Зоя Zoja Zoe Zoya
Иван Ivanas Ваня Ванька Ivan Иванко Ян John Jonas Johann Jan Джон Janas
Игорь Igoris Ihor Гоша Igor Игорёк
Илья Ilja Elijas Elijah Илюша Illia Elias Илюха Ilya
Инна Ina Inna Инесса Inesa
Иосиф Juozapas Juozas Joseph Осип Йосиф Joe Josifas Josef
Ирина Irena Irene Ира Ирка Iryna Ириша Irutė Iren
Кирилл Kirilas Kirill Кира Кирюша Cyril Кирил
Кира Kira Kyra
Константин Konstantinas Constantine Костя Костик Konstantin Kostas
Ксения Ksenija Оксана Oksana Ксюша Ксеня Xenia Аксинья Kseniya
Лариса Larisa Лара Larissa Лора
Леонид Leonidas Лёня
Лев Levas Лёва Leo Leonas Леон Leon Лёвушка
Лидия Lidija Lydia Лида
Лилия Lilija Lilia Lily Лиля Lilian Lilijana
Людмила Liudmila Люда Мила Люся Ludmila Lyudmila Милочка
Любовь Liubov Люба Lyubov Lubov Любаша
Максим Maksimas Макс Maxim Max Maximilian Maksym Макс
Маргарита Margarita Рита Margaret Марго Margo Rita
Марина Marina Мариночка Маринка
Мария Marija Maria Mary Маша Маня Маруся Marie Mariya Marytė Maryja Машенька Masha Marijona Маруся Марийка
Марк Markas Mark Marcus Markus
Михаил Michailas Mykolas Michael Миша Мишаня Mike Michal Михайло Mikhail Misha Michel Mykhailo Мишка Michail
Надежда Nadežda Надя Nadia Nadiya Надюша Nadine
Наталья Natalija Наташа Natalie Наталия Natasha Ната Тата Natali Nataly
Никита Nikita Ник Никитос
Николай Nikolajus Mikalojus Nicholas Nick Коля Микола Mykola Nicolas Николас Nikolaj Колян
Нина Nina Ninel
Оксана Oksana Ксюша Ксения
Олег Olegas Oleg Олежка Oleh
Ольга Olga Оля Olha Оленька Helga
Павел Pavelas Povilas Paulius Paul Паша Павлик Pavlo Pawel Пашка
Пётр Petras Peter Петя Piotr Piotras Petro Pete Петро Pyotr Pjotras Петр
Полина Polina Paulina Поля Pauline Полинка
Раиса Raisa Рая
Роберт Robertas Robert Bob Rob Bobby
Роман Romanas Рома Roman Ромка Ромчик
Руслан Ruslanas Ruslan
Светлана Svetlana Света Svitlana Светочка Lana Лана
Святослав Sviatoslavas Слава Svyatoslav
Семён Semionas Сеня Semyon Simon Simonas Симон Семен Simas
Сергей Sergejus Sergijus Серёжа Серёга Serge Serhii Serhiy Sergio Serž
София Sofija Sofia Sophia Sophie Соня Софья Sonia
Станислав Stanislavas Stanislovas Stasys Стас Слава Stan Stas Stanislaw
Степан Steponas Stepanas Стёпа Stephen Steven Steve Stefan Stepan
Тамара Tamara Тома
Татьяна Tatjana Таня Tatiana Tanya Tetiana Танюша Татьянка
Тимофей Timofejus Тима Timothy Tim Тимоша Тимур
Тимур Timuras Timur Тима
Тарас Tarasas Taras
Ульяна Uljana Уля Juliana Yuliana
Фёдор Fiodoras Teodoras Федя Fyodor Theodore Федор Fedir Ted
Филипп Filipas Pilypas Philip Phil Филя
Эдуард Eduardas Edvardas Edward Эдик Ed Eddie Edgar
Эльвира Elvyra Elvira Эля Эльза
Эмма Ema Emma Emily Emilija Эмилия Emilia Em
Юлия Julija Julia Юля Juliana Юленька Yulia Julie Юлька Juliya
Юрий Jurijus Юра Jurgis Yuri Юрик Jura Yury
Яков Jakovas Jokūbas Jacob Яша Jacobas Якоб
Яна Jana Jane Яночка Janina Янина Yana Jane Joana
Ярослав Jaroslavas Слава Yaroslav Ярик
Ринат Rinatas Rinat
Марат Maratas Marat
Тигран Tigran
Армен Armen Armenas
Ашот Ashot
Ильдар Ildar
Рашид Rashid
Рустам Rustam Рустем
Камиль Kamil Kamilis
Айгуль Aigul
Алина Alina Аля
Алла Ala Alla
Алиса Alisa Alice Алисия Alicia
Белла Bela Bella Изабелла Isabella Izabelė
Богдан Bogdanas Bohdan Богданчик
Варвара Varvara Barbora Barbara Варя
Герман Germanas Hermanas Гера
Жанна Žana Janna Jeanne Joana
Злата Zlata
Карина Karina Carina Кара
Клавдия Klavdija Klaudija Claudia Клава
Кристина Kristina Christina Кристя Chris Cristina Христина Kristė Kristyna
Лука Lukas Luke Lucas Лукас
Матвей Matvejus Matas Motiejus Matthew Matt Мотя Матиас
Мирон Mironas Myron
Милана Milana Mila Мила
Назар Nazaras
Оскар Oskaras Oscar
Платон Platonas
Прохор Prochoras
Родион Rodionas Родя
Савелий Savelijus Сава
Снежана Snežana Snieguolė
Таисия Taisija Тая Тася
Ева Ieva Eva Eve Eve Ева Jeva
Элина Elina Эля Ellina Элла Ela
Эрик Erikas Eric Erik
Альберт Albertas Albert Алик
Альгирдас Algirdas Algis
Айдас Aidas
Арнольд Arnoldas Arnas
Арунас Arūnas
Арвидас Arvydas Arvidas
Аушра Aušra Aušrinė
Бируте Birutė
Витаутас Vytautas Vytas Vitas Vytenis
Виргиниюс Virginijus Virgis
Виргиния Virginija Virginia
Виолета Violeta Violetta Виолетта Viola
Гинтарас Gintaras Gintas
Гинтаре Gintarė
Гедре Giedrė Giedra
Гедрюс Giedrius
Гедиминас Gediminas Gedas
Грета Greta Margareta
Дайва Daiva
Даля Dalia Dalė
Дариус Darius Дарюс
Донатас Donatas Donat
Дануте Danutė Danguolė
Эгле Eglė
Эгидиюс Egidijus
Гитана Gitana
Йоланта Jolanta Iolanta Jola
Жильвинас Žilvinas
Живиле Živilė
Ингрида Ingrida Ingrid Inga Инга
Юргита Jurgita Jurga
Юрате Jūratė
Каролис Karolis Carl Karl Карл Charles
Каролина Karolina Caroline Carolina
Казис Kazys Kazimieras Kazimir Казимир
Кястутис Kęstutis Kestas Kęstas
Лайма Laima Laimutė
Лаура Laura Lora
Линас Linas
Лина Lina
Линда Linda
Мантас Mantas Mantvydas Mantautas
Мариюс Marius Marijus
Миндаугас Mindaugas
Моника Monika Monica
Неринга Neringa
Нийоле Nijolė
Овидиюс Ovidijus
Регина Regina Рина
Рената Renata
Раса Rasa Rasutė
Рамунас Ramūnas
Раймондас Raimondas Raimundas Raymond Ray
Римантас Rimantas Rimas Rimvydas
Ричард Ričardas Richard Rick Dick
Рита Rita
Роландас Rolandas Roland
Рута Rūta Ruth
Саулюс Saulius
Сауле Saulė
Сигита Sigita
Сигитас Sigitas
Сильвия Silvija Sylvia Silvia
Симона Simona Simone
Тадас Tadas Thaddeus Thadas
Томас Tomas Thomas Tom Фома Tommy
Ugnė Угне
Вайда Vaida Vaidilutė
Вайдас Vaidas Vaidotas
Валдас Valdas Valdemaras Вальдемар Waldemar
Вида Vida
Видас Vidas
Вилма Vilma
Вилюс Vilius William Will Bill Viljamas Уильям
Зигмас Zigmas Zigmantas Sigismund
Шарунас Šarūnas
Аустея Austėja
Габия Gabija
Габриэле Gabrielė Gabriela Gabriella
Габриелюс Gabrielius Gabriel Гавриил
Игнас Ignas Ignotas Игнат Ignat Игнатий
Йокубас Jokūbas Яков
Йонас Jonas Иван Jonukas
Юозас Juozas Иосиф
Юстина Justina Justine
Юстас Justas Justinas Justin
Доминикас Dominykas Dominic Dominik
Эдита Edita Edith
Эймантас Eimantas
Аудрюс Audrius
Аудра Audra Audronė Audrey
Аста Asta
Регимантас Regimantas
Стефания Stefanija Stephanie Stefa
Джеймс James Jim Jimmy Jamie
Роджер Roger
Дональд Donald Don
Кевин Kevin
Брайан Brian Bryan
Джейсон Jason
Джастин Justin
Джессика Jessica Jess
Дженнифер Jennifer Jenny Jen
Сара Sarah Sara Sally
Сьюзан Susan Suzanne Зузанна
Эшли Ashley
Оливия Olivia Liv
Грейс Grace
Генри Henry Harry Henrikas Генрих Henrik
Оливер Oliver
Патрик Patrick Patrikas Pat
Кристофер Christopher Chris Kristoforas Kristupas Христофор
Джордж George
Ларри Lawrence Larry Laurynas Лаврентий Лоренс
Фрэнк Frank Francis Pranas Pranciškus Franz
Рихардас Ričardas
Бенджамин Benjamin Ben Benas Benjaminas Вениамин
Самуил Samuel Sam Samuelis
Натан Nathan Nathaniel
Брэндон Brandon
Эми Amy
Мелисса Melissa
Ребекка Rebecca Becky
Рейчел Rachel
Дебора Deborah Debbie
"""
