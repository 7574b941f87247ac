"""The same short report in many languages, with the legacy charsets it is sent in. Written for these tests."""

from __future__ import annotations

# Per language the charsets and the text.
REPORTS: dict[str, tuple[tuple[str, ...], str]] = {
    "ar": (
        ("cp1256", "iso8859-6"),
        "أعلن وزير الصحة يوم الخميس أن المستشفى الجديد في ضواحي المدينة سيفتح أبوابه قبل الموعد المحدد. "
        "وقال للصحفيين إننا مستعدون لاستقبال أول المرضى في شهر سبتمبر. وبدأ البناء قبل أربع سنوات وكلف ا"
        "لميزانية 12 مليون دينار. ويأمل سكان الحي ألا يضطروا بعد الآن إلى السفر إلى الطرف الآخر من المدي"
        "نة، حيث يقع المستشفى القديم؛ وسيتم تسليم مدرسة أيضا.",
    ),
    "bg": (
        ("cp1251", "iso8859-5"),
        "Министърът на здравеопазването съобщи в четвъртък, че новата болница в покрайнините на града ще"
        " отвори врати преди срока. „Готови сме да приемем първите пациенти още през септември“, каза то"
        "й пред журналисти. Строежът започна преди четири години и струва на бюджета 12 милиона лева. Жи"
        "телите на квартала се надяват, че вече няма да се налага да пътуват до другия край на града.",
    ),
    "cs": (
        ("cp1250", "iso8859-2"),
        "Ministr zdravotnictví ve čtvrtek oznámil, že nová nemocnice na okraji města bude otevřena dříve"
        ". „Jsme připraveni přijmout první pacienty už v září,“ řekl novinářům. Stavba začala před čtyřm"
        "i lety a rozpočet stála 12 milionů korun. Obyvatelé čtvrti doufají, že už nebudou muset jezdit "
        "na druhý konec města. Požár v přístavu byl uhašen ráno.",
    ),
    "da": (
        ("cp1252", "iso8859-1"),
        "Sundhedsministeren meddelte torsdag, at det nye hospital i udkanten af byen åbner før tid. Vi e"
        "r klar til at modtage de første patienter allerede i september, sagde han til journalister. Byg"
        "geriet begyndte for fire år siden og kostede 12 millioner kroner. Beboerne håber, at de ikke læ"
        "ngere skal rejse til den anden ende af byen. Børnene får også en ny skole.",
    ),
    "de": (
        ("cp1252", "iso8859-1", "mac-roman"),
        "Der Gesundheitsminister teilte am Donnerstag mit, dass das neue Krankenhaus am Stadtrand früher"
        " als geplant öffnen werde. „Wir sind bereit, die ersten Patienten schon im September aufzunehme"
        "n“, sagte er vor Journalisten. Der Bau begann vor vier Jahren und kostete 12 Millionen Euro. Di"
        "e Bewohner hoffen, dass sie künftig nicht mehr ans andere Ende der Stadt fahren müssen. Das Geb"
        "äude größer zu bauen, wäre zu teuer.",
    ),
    "el": (
        ("cp1253", "iso8859-7"),
        "Ο υπουργός Υγείας ανακοίνωσε την Πέμπτη ότι το νέο νοσοκομείο στα περίχωρα της πόλης θα ανοίξει"
        " νωρίτερα από το προγραμματισμένο. «Είμαστε έτοιμοι να δεχθούμε τους πρώτους ασθενείς ήδη από τ"
        "ον Σεπτέμβριο», είπε στους δημοσιογράφους. Η κατασκευή ξεκίνησε πριν από τέσσερα χρόνια και κόσ"
        "τισε στον προϋπολογισμό 12 εκατομμύρια ευρώ. Άλλο ένα έργο, ένα σχολείο, θα παραδοθεί έως το τέ"
        "λος του έτους.",
    ),
    "en": (
        ("cp1252", "mac-roman"),
        "The health minister said on Thursday that the new hospital on the edge of town would open early"
        ". “We’re ready to take the first patients in September,” he told reporters – a claim the unions"
        " doubt. The café owner, José Núñez, said building costs had risen to £12 million… Fire crews pu"
        "t out the blaze at the port before dawn. It’s the town’s second project; a school will follow.",
    ),
    "es": (
        ("cp1252", "iso8859-1", "mac-roman"),
        "El ministro de Sanidad anunció el jueves que el nuevo hospital de las afueras de la ciudad abri"
        "rá antes de lo previsto. «Estamos listos para recibir a los primeros pacientes en septiembre», "
        "dijo a los periodistas. ¿Cuánto costó? La construcción comenzó hace cuatro años y costó 12 mill"
        "ones de euros. Los vecinos esperan no tener que viajar más al otro extremo de la ciudad. El niñ"
        "o está en casa.",
    ),
    "et": (
        ("cp1257", "iso8859-13"),
        "Terviseminister teatas neljapäeval, et uus haigla linna serval avatakse varem kui plaanitud. Ol"
        "eme valmis esimesi patsiente vastu võtma juba septembris, ütles ta ajakirjanikele. Ehitus algas"
        " neli aastat tagasi ja läks maksma 12 miljonit eurot. Elanikud loodavad, et nad ei pea enam sõi"
        "tma linna teise otsa. Põleng sadamas kustutati öösel.",
    ),
    "fi": (
        ("cp1252", "iso8859-1"),
        "Terveysministeri ilmoitti torstaina, että kaupungin laidalle rakennettava uusi sairaala avataan"
        " etuajassa. Olemme valmiita ottamaan ensimmäiset potilaat vastaan jo syyskuussa, hän sanoi toim"
        "ittajille. Rakentaminen alkoi neljä vuotta sitten ja maksoi 12 miljoonaa euroa. Asukkaat toivov"
        "at, ettei heidän enää tarvitse matkustaa kaupungin toiseen päähän.",
    ),
    "fr": (
        ("cp1252", "iso8859-1", "iso8859-15", "mac-roman"),
        "Le ministre de la Santé a annoncé jeudi que le nouvel hôpital situé à la périphérie de la ville"
        " ouvrirait plus tôt que prévu. « Nous sommes prêts à accueillir les premiers patients dès septe"
        "mbre », a-t-il déclaré aux journalistes. Les travaux ont commencé il y a quatre ans et ont coût"
        "é 12 millions d’euros. Les habitants espèrent ne plus devoir aller à l’autre bout de la ville. "
        "Sa sœur, âgée de 30 ans, a été élue.",
    ),
    "he": (
        ("cp1255", "iso8859-8"),
        'שר הבריאות הודיע ביום חמישי כי בית החולים החדש בפאתי העיר ייפתח לפני המועד. "אנחנו מוכנים לקבל '
        'את המטופלים הראשונים כבר בספטמבר", אמר לעיתונאים. הבנייה החלה לפני ארבע שנים ועלתה לתקציב 12 מי'
        "ליון שקלים. תושבי השכונה מקווים שלא יצטרכו עוד לנסוע לקצה השני של העיר.",
    ),
    "hr": (
        ("cp1250", "iso8859-2"),
        "Ministar zdravstva objavio je u četvrtak da će nova bolnica na rubu grada biti otvorena prije r"
        "oka. Spremni smo primiti prve pacijente već u rujnu, rekao je novinarima. Gradnja je počela pri"
        "je četiri godine i stajala je 12 milijuna eura. Stanovnici četvrti nadaju se da više neće morat"
        "i putovati na drugi kraj grada. Požar u luci ugašen je ujutro, nitko nije ozlijeđen.",
    ),
    "hu": (
        ("cp1250", "iso8859-2"),
        "Az egészségügyi miniszter csütörtökön közölte, hogy a város szélén épülő új kórház a tervezettn"
        "él korábban nyílik meg. Készen állunk arra, hogy szeptemberben fogadjuk az első betegeket – mon"
        "dta újságíróknak. Az építkezés négy éve kezdődött, és 12 milliárd forintba került. A környék la"
        "kói azt remélik, hogy többé nem kell a város másik végébe utazniuk. A kikötői tüzet eloltották.",
    ),
    "it": (
        ("cp1252", "iso8859-1"),
        "Il ministro della Sanità ha annunciato giovedì che il nuovo ospedale alla periferia della città"
        " aprirà prima del previsto. «Siamo pronti ad accogliere i primi pazienti già a settembre», ha d"
        "etto ai giornalisti. I lavori sono cominciati quattro anni fa e sono costati 12 milioni di euro"
        ". Gli abitanti sperano di non dover più andare dall’altra parte della città. È stato così, perc"
        "hé no.",
    ),
    "ja": (
        ("shift_jis", "cp932", "euc_jp"),
        "厚生労働相は木曜日、市の郊外に建設中の新しい病院が予定より早く開院すると発表した。「九月には最初の患者を受け入"
        "れる準備ができている」と記者団に語った。工事は四年前に始まり、費用は十二億円に上った。地元の住民は、もう町の反"
        "対側まで通わなくて済むことを期待している。港の倉庫の火災は未明に鎮火し、けが人はいなかった。カメラマンのスズキ"
        "さんがニュースを伝えた。",
    ),
    "ko": (
        ("euc_kr", "cp949"),
        '보건부 장관은 목요일 도시 외곽의 새 병원이 예정보다 일찍 문을 연다고 밝혔다. 그는 기자들에게 "'
        '9월에 첫 환자를 받을 준비가 되어 있다"고 말했다. 공사는 4년 전에 시작되었으며 예산 12억 원'
        "이 들었다. 주민들은 더 이상 도시 반대편까지 다니지 않아도 되기를 바라고 있다. 항구 창고의 화재"
        "는 새벽에 진화되었고 다친 사람은 없었다. 경찰이 원인을 조사하고 있다.",
    ),
    "lt": (
        ("cp1257", "iso8859-13", "iso8859-4"),
        "Sveikatos apsaugos ministras ketvirtadienį pranešė, kad naujoji ligoninė miesto pakraštyje bus "
        "atidaryta anksčiau nei planuota. Esame pasirengę priimti pirmuosius pacientus jau rugsėjį, sakė"
        " jis žurnalistams. Statybos prasidėjo prieš ketverius metus ir kainavo 12 milijonų eurų. Gyvent"
        "ojai tikisi, kad jiems nebereikės važiuoti į kitą miesto galą. Gaisras uoste užgesintas.",
    ),
    "lv": (
        ("cp1257", "iso8859-13", "iso8859-4"),
        "Veselības ministrs ceturtdien paziņoja, ka jaunā slimnīca pilsētas nomalē tiks atvērta ātrāk ne"
        "kā plānots. Mēs esam gatavi uzņemt pirmos pacientus jau septembrī, viņš sacīja žurnālistiem. Bū"
        "vniecība sākās pirms četriem gadiem un izmaksāja 12 miljonus eiro. Iedzīvotāji cer, ka viņiem v"
        "airs nebūs jābrauc uz otru pilsētas galu. Ugunsgrēks ostā nodzēsts.",
    ),
    "pl": (
        ("cp1250", "iso8859-2"),
        "Minister zdrowia ogłosił w czwartek, że nowy szpital na obrzeżach miasta zostanie otwarty przed"
        " terminem. „Jesteśmy gotowi przyjąć pierwszych pacjentów już we wrześniu” – powiedział dziennik"
        "arzom. Budowa rozpoczęła się cztery lata temu i kosztowała budżet 12 milionów złotych. Mieszkań"
        "cy dzielnicy mają nadzieję, że nie będą już musieli jeździć na drugi koniec miasta. Pożar w por"
        "cie ugaszono nad ranem.",
    ),
    "pt": (
        ("cp1252", "iso8859-1", "mac-roman"),
        "O ministro da Saúde anunciou na quinta-feira que o novo hospital na periferia da cidade abrirá "
        "antes do previsto. “Estamos prontos para receber os primeiros pacientes já em setembro”, disse "
        "aos jornalistas. A construção começou há quatro anos e custou 12 milhões de reais. Os moradores"
        " esperam não ter mais de ir ao outro extremo da cidade. A situação é difícil, não há informaçõe"
        "s.",
    ),
    "ro": (
        ("cp1250", "iso8859-2"),
        "Ministrul sănătăţii a anunţat joi că noul spital de la marginea oraşului va fi deschis înainte "
        "de termen. Suntem pregătiţi să primim primii pacienţi în septembrie, a declarat el jurnaliştilo"
        "r. Construcţia a început acum patru ani şi a costat bugetul 12 milioane de lei. Locuitorii cart"
        "ierului speră că nu vor mai trebui să meargă la celălalt capăt al oraşului.",
    ),
    "ru": (
        ("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic"),
        "Министр здравоохранения сообщил в четверг, что новая больница на окраине города откроется раньш"
        "е срока. «Мы готовы принять первых пациентов уже в сентябре», – сказал он журналистам. Строител"
        "ьство началось четыре года назад и обошлось бюджету в 12 млрд рублей. Жители района надеются, ч"
        "то им больше не придётся ездить на другой конец города. ПОЖАР В ПОРТУ ПОТУШЕН. Ещё один объект,"
        " школа на 800 мест, должен быть сдан до конца года.",
    ),
    "sr": (
        ("cp1251", "iso8859-5"),
        "Министар здравља рекао је у четвртак да ће нова болница на ободу града бити отворена пре рока. "
        "Спремни смо да примимо прве пацијенте већ у септембру, рекао је он новинарима. Изградња је поче"
        "ла пре четири године и коштала је буџет 12 милијарди динара. Становници насеља надају се да виш"
        "е неће морати да путују на други крај града. Њихова деца ићи ће у нову школу.",
    ),
    "sv": (
        ("cp1252", "iso8859-1"),
        "Hälsoministern meddelade på torsdagen att det nya sjukhuset i utkanten av staden kommer att öpp"
        "na tidigare än planerat. Vi är redo att ta emot de första patienterna redan i september, sade h"
        "an till journalister. Bygget började för fyra år sedan och kostade 12 miljoner kronor. Invånarn"
        "a hoppas att de inte längre ska behöva åka till andra änden av staden.",
    ),
    "th": (
        ("tis-620", "cp874"),
        "รัฐมนตรีว่าการกระทรวงสาธารณสุขแถลงเมื่อวันพฤหัสบดีว่า โรงพยาบาลแห่งใหม่ชานเมืองจะเปิดให้บริการก"
        "่อนกำหนด เราพร้อมรับผู้ป่วยกลุ่มแรกในเดือนกันยายน เขากล่าวกับผู้สื่อข่าว การก่อสร้างเริ่มขึ้นเม"
        "ื่อสี่ปีก่อนและใช้งบประมาณ 12 ล้านบาท ชาวบ้านหวังว่าจะไม่ต้องเดินทางไปอีกฟากของเมืองอีกต่อไป",
    ),
    "tr": (
        ("cp1254", "iso8859-9"),
        "Sağlık Bakanı perşembe günü yaptığı açıklamada, şehrin dışındaki yeni hastanenin planlanandan ö"
        "nce açılacağını söyledi. İlk hastaları eylül ayında kabul etmeye hazırız, dedi. İnşaat dört yıl"
        " önce başladı ve bütçeye 12 milyon liraya mal oldu. Mahalle sakinleri artık şehrin öbür ucuna g"
        "itmek zorunda kalmayacaklarını umuyor. Çocuklar için de bir okul yapılacak.",
    ),
    "uk": (
        ("cp1251", "koi8-u", "iso8859-5"),
        "Міністр охорони здоров’я повідомив у четвер, що нова лікарня на околиці міста відкриється раніш"
        "е терміну. «Ми готові прийняти перших пацієнтів уже у вересні», – сказав він журналістам. Будів"
        "ництво почалося чотири роки тому й коштувало бюджету 12 млрд гривень. Мешканці району сподівают"
        "ься, що їм більше не доведеться їздити на інший кінець міста. Ґанок школи, їдальня та спортзал "
        "ще не готові.",
    ),
    "vi": (
        (),
        "Bộ trưởng Y tế hôm thứ Năm cho biết bệnh viện mới ở ngoại ô thành phố sẽ mở cửa sớm hơn dự kiến"
        ". Chúng tôi đã sẵn sàng tiếp nhận những bệnh nhân đầu tiên vào tháng Chín, ông nói với các nhà "
        "báo. Việc xây dựng bắt đầu cách đây bốn năm và tiêu tốn 12 tỷ đồng.",
    ),
    "zh-Hans": (
        ("gb18030",),
        "卫生部长周四表示，位于城市郊区的新医院将提前开业。“我们已准备好在九月接收第一批患者，”他对记者说。该工程四年"
        "前动工，耗资十二亿元。当地居民希望今后不必再到城市的另一端看病。消防人员凌晨控制了港口仓库的火势，没有人员伤亡"
        "。警方正在调查起火原因。教育局称，另一所可容纳八百名学生的学校将于年底前竣工。",
    ),
    "zh-Hant": (
        ("big5", "big5hkscs", "cp950", "gb18030"),
        "衛生部長週四表示，位於城市郊區的新醫院將提前啟用。「我們已準備好在九月接收第一批患者，」他對記者說。該工程四年"
        "前動工，耗資十二億元。當地居民希望今後不必再到城市的另一端看病。消防人員凌晨控制了港口倉庫的火勢，沒有人員傷亡"
        "。警方正在調查起火原因。教育局稱，另一所可容納八百名學生的學校將於年底前竣工。",
    ),
}
