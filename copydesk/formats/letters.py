"""How often letters stand in the languages of legacy text: the evidence that tells one charset from another.

Tables only; `charsets.py` weighs them. Letters are listed from the most to the least frequent, lower case only
where the script has case. The orders are general knowledge about each language, not counted on any test file.
For languages in Latin script only the letters beyond ASCII are listed, with common words that ASCII can write:
the words tell the language, the language tells which accented letters to expect.
"""

from __future__ import annotations

from typing import NamedTuple


class Latin(NamedTuple):
    """A language in Latin script."""

    letters: str
    share: float
    """Rough share of its letters that are not ASCII."""
    words: str


SCRIPTS: dict[str, str] = {
    "ar": "اليمونرتهبعدسفأةكقحجىشصطخإذزضثئءغظآؤًٌٍَُِّْپچژگکی،؟؛ـ",
    "be": "анірокэлцесвядыпўзмтубгчьхйжшёюфщ",
    "bg": "аоиетнрсвлкдпмзяъугбчщйжхцфшюьѝ",
    "el": "αοιετσνηυρπκμλςωάόίέδγχθύφήώβξζψϊΐϋΰ",
    "he": "יוהלארתבשמםנכחדעקפטגןזסצףךץ",
    "kk": "аеынртілсдқомкбғшуиязжйпөәүһұңгцчфхвьщюъэ",
    "mk": "аоиетнрсвдлкпмзуцбгјжчшќхѓфњљџѕ",
    "ru": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "sr": "аоиенрстјукдвмплгзбчшцњжћђхљфџ",
    "th": "านรอกเง่มยลวดทสต้ัปบคีหะแิขจไพช์ใุืโูผ็ถณธศซภึฟษำญฏฐฉฝฆฎฒฤๆฬฯฮ๐๑๒๓๔๕๖๗๘๙",
    "uk": "оаинівртескулдмпязьбгчхцжйїшюєщфґ",
}

LATIN: dict[str, Latin] = {
    "ca": Latin("àéèóòíçúïü·", 0.03, "de la el que els i per a en una amb les del es no al"),
    "cs": Latin("íáéěřčžýšůúťňďó", 0.12, "a v se na je o to s z do i za by ve pro jako jeho ale podle po od"),
    "da": Latin("åøæé", 0.03, "og i at det er en til af den der har som med de ikke han fra om et"),
    "de": Latin(
        "äüößéàè",
        0.02,
        "der die und in den von zu das mit sich des auf im dem nicht ein eine als auch es an werden aus er hat",
    ),
    "en": Latin(
        "éèñöüçáïâæ", 0.001, "the of and to in a is that for it as was with be by on not he his from at are this"
    ),
    "es": Latin(
        "óíáéñúü¿¡ªº", 0.025, "de la que el en y a los del se las por un para con no una su al lo como este sus"
    ),
    "et": Latin("äõüöšž", 0.05, "ja on et ei see ta ka oli aga kui selle mis kes ning oma"),
    "eu": Latin("ñçü", 0.002, "eta da du ez bat dute dira ere zen egin baina"),
    "fi": Latin("äöåéšž", 0.05, "ja on ei se oli joka mutta ovat myos kun ole sen mukaan"),
    "fr": Latin(
        "éèàêçùôîûâœëïüæ",
        0.035,
        "de la le et les des en un du une que est pour qui dans a par plus sur au ne pas ce se sont avec",
    ),
    "ga": Latin("áéíóú", 0.06, "an agus na a ar is i le go ag"),
    "gl": Latin("óáíéñúü", 0.03, "de a o que e do da en un unha os para por non as no na co"),
    "hr": Latin("čšžćđ", 0.03, "je i u na se za da su od s o koji kako bi sto iz ne nije"),
    "hu": Latin("áéöóőüíúű", 0.12, "a az es hogy nem is egy van meg volt ez ki de csak el szerint mint ha"),
    "is": Latin("áíðéóöþúæý", 0.13, "og er ekki sem um hann var en til hafa fyrir af eru"),
    "it": Latin("àèùòìéî", 0.012, "di e la il che in a per un del della non con si una le da i al sono gli dei"),
    "lt": Latin("ėšąžųūįčę", 0.07, "ir yra kad kaip bet su tai buvo iki dar jis apie nuo pat po"),
    "lv": Latin("āīēšūķžļņčģ", 0.1, "un ir ka no par ar lai bet gan tas uz vai bija kas"),
    "nl": Latin("ëéïöüèá", 0.002, "de het een van en in is dat op te zijn voor met die niet aan er om ook als naar"),
    "no": Latin("åøæéô", 0.03, "og i det er en til av som den har med de ikke han fra om et for"),
    "pl": Latin("łęąóżśćńź", 0.07, "w i na z do nie to jest o jak po od za przez dla ale tym jego tego oraz"),
    "pt": Latin(
        "ãçéáíóêõúâàôüªº", 0.04, "de a o que e do da em um para com uma os no se na por mais as dos como mas ao das"
    ),
    "ro": Latin("ăîâşţșț", 0.07, "de la in a cu pe nu o din care pentru ca un mai este au fost prin sau lui"),
    "sk": Latin("áíčéýžšúťľôňďäóŕĺ", 0.11, "a v sa na je o to s z do i za ako pre aj vo podla ale by po od ich jeho"),
    "sl": Latin("čšž", 0.03, "je v in na za se da so ki bi pa po s od tudi ne ni iz kot"),
    "sq": Latin("ëç", 0.08, "e dhe i me nga per ne ka se ky nje te si do"),
    "sv": Latin("äöåé", 0.05, "och i att det som en av den till med har de inte om ett han men var sig"),
    "tr": Latin("ıüşğçöİâî", 0.1, "ve bir bu da de ile olarak daha en olan sonra kadar ama gibi ise"),
    "vi": Latin("áàảạâấầêếềệôộốồơờớợưữứừđíìịóòọúùụýỳ", 0.25, "trong cho khi theo tin ra thanh nhau con"),
}

HANS = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形"
    "相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展"
    "五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被做必战先"
    "回则任取据处世车务记报市京称北南东海消息示亿元万美近"
)
HANT = (
    "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子說產種面而方後多定行學法所民得經"
    "十三之進著等部度家電力裡如水化高自二理起小物現實加量都兩體制機當使點從業本去把性好應開它合還因由其些然前外天政四日那社義事平形"
    "相全表間樣與關各重新線內數正心反你明看原又麼利比或但質氣第向道命此變條只沒結解問意建月公無系軍很情者最立代想已通並提直題黨程展"
    "五果料象員位入常文總次品式活設及管特件長求老頭基資邊流路級少圖山統接知較將組見計別她手角期根論運農指幾九區強放決西被做必戰先"
    "回則任取據處世車務記報市台灣香港北南東海消息示億元萬美近"
)
KANA = (
    "のにたいをとはしがてでなかるすもっられこありまさくきせけんそつえみょうどだおよわちやめゅへねばじびげべひほろぶむゆずふぬぼゃぐぎづぞ"
    "ンスールトイラリアクドシジレタロカップマメャコフサテセニデュバグョパチウナ"
)
KANJI = (
    "日一人年大国会本中出事者社時行月分長後前生上間方東同田市発表明党政新部京学対地業家場民理代自今手下見実体関力全内高相定立合性動"
    "選成主議回目不法金経作員用的題首戦要度米気意最現化公通開制入約当所円調万都道府県"
)
HANGUL = (
    "이다는에의을하가고를한지은사기로인서도시대으자정어일들해전과수보부아리나년만원스장제상주그성조구동경있것라세유공여국위비치오관계방안"
    "내선신모무문진회발생연미용체면화마당영소개통우분업적습니까했였월민"
)
