"""Differences that change what a text says: figures, dates, negations, names.

Why: a copy in which "12 died" became "21 died", or in which a "not" is gone, is no copy that may go without leave. A
difference is hard where its words alone show it; it is soft where it could as well be noise, a name for another name,
and only the differences around it can tell. Figures in digits are known in every script, names where capitals mark
them, number words, dates and negations in the languages of the lists below.

    12 -> 21, Monday -> Friday, did not -> did     hard
    Brown -> Blair, not -> now                     soft
    big -> large                                   none
"""

from collections import Counter
from functools import cached_property
from unicodedata import combining, normalize

from dedup.evidence import OPENERS, STOPS
from dedup.model import HARD, NONE, SOFT, Page, Span
from dedup.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Number words, months and days.
_FIGURE_WORDS = """
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million
millions billion billions trillion first second third fourth fifth sixth seventh eighth ninth tenth half quarter
double triple twice dozen
zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig hundert tausend million millionen
milliarde milliarden erste ersten zweite zweiten dritte dritten
deux trois quatre cinq sept huit neuf dix onze douze vingt trente quarante cinquante cent mille millions milliard
milliards premier première deuxième troisième
dos tres cuatro cinco seis siete ocho nueve diez once doce veinte treinta cien ciento mil millón millones primero
primera segundo tercero dois duas três quatro sete oito nove dez vinte trinta cem milhão milhões primeiro
due tre quattro cinque sei sette otto dieci venti trenta cento milione milioni primo secondo terzo
twee drie vijf zes zeven acht negen tien honderd duizend miljoen miljard
два три четыре пять шесть семь восемь девять десять сто тысяча тысяч миллион миллионов миллиард
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
september october november december today tomorrow yesterday
montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni juli oktober dezember
heute morgen gestern lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril juin juillet
août septembre octobre novembre décembre lunes martes miércoles jueves viernes sábado domingo enero febrero marzo
abril mayo junio julio agosto septiembre octubre noviembre diciembre segunda terça quarta quinta sexta janeiro
fevereiro março maio junho julho setembro outubro novembro dezembro lunedì martedì mercoledì giovedì venerdì
sabato domenica gennaio febbraio aprile maggio giugno luglio settembre ottobre novembre dicembre maandag dinsdag
woensdag donderdag vrijdag zaterdag zondag januari februari maart mei augustus
понедельник вторник среду среда четверг пятницу пятница субботу воскресенье января февраля марта апреля мая июня
июля августа сентября октября ноября декабря
dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć sto tysiąc tysięcy milion milionów poniedziałek wtorek środa
środę czwartek piątek sobota sobotę niedziela niedzielę stycznia lutego marca kwietnia maja czerwca lipca sierpnia
września października listopada grudnia
två fyra fem sju åtta nio tio hundra tusen miljon miljoner måndag tisdag onsdag torsdag fredag lördag söndag maj
augusti oktober fire seks syv otte åtte mandag tirsdag lørdag
iki üç dört beş altı yedi sekiz dokuz yirmi otuz milyon pazartesi salı çarşamba perşembe cuma cumartesi
kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän kymmenen sata tuhat maanantaina tiistaina keskiviikkona
torstaina perjantaina lauantaina sunnuntaina
월요일 화요일 수요일 목요일 금요일 토요일 일요일
одиннадцать двенадцать пятнадцать двадцать тридцать сорок пятьдесят
二 三 四 五 六 七 八 九 十 百 千 万 亿 億 月 火 水 木 金 土 日
اثنان اثنين ثلاثة ثلاث أربعة أربع خمسة خمس ستة ست سبعة سبع ثمانية ثماني تسعة تسع عشرة عشر مئة مائة ألف مليون
שניים שתיים שלושה שלוש ארבעה ארבע חמישה חמש שישה שש שבעה שבע שמונה תשעה תשע עשרה עשר עשרים שלושים ארבעים חמישים
מאה אלף מיליון ראשון שני שלישי רביעי חמישי שישי שבת الأحد الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت
दो तीन चार पाँच पांच छह सात आठ नौ दस सौ हज़ार हजार लाख करोड़
"""
_NEGATION_WORDS = """
no not nor never none nobody nothing neither without cannot t non
nicht kein keine keinen keinem keiner keines nie niemals niemand ohne
ne pas jamais aucun aucune sans rien nunca jamás ningún ninguna ninguno sin nada não nem sem nenhum nenhuma
mai senza nessun nessuno nessuna niet geen nooit zonder inte ej aldrig utan ikke aldri aldrig uten uden
не нет ни никогда без nie bez nigdy tidak bukan tanpa jangan değil yok hayır ei eivät không chưa si hakuna sio
لا لم لن ليس ليست غير بدون לא אין בלי नहीं नही मत बिना 不 没 沒 無 无 未 非 别 neva
"""
_FIGURES = frozenset(_FIGURE_WORDS.split())
_NEGATIONS = frozenset(_NEGATION_WORDS.split())
_STATED = 6  # words of a gap up to which a negation on one side only contradicts the other
_UNIT = 2  # letters that a figure may have: 3rd, 20km
_TITLE = 0.6  # share of capitals from which they mark no names


class Facts:
    """What the differences between two copies in one text change. `keys` gives the match keys of a text."""

    def __init__(self, page: Page, keys: "Callable[[str], list[str]]") -> None:
        self.page, self.keys = page, keys
        self.titles: dict[int, bool] = {}  # whether the capitals of a paragraph mark no names

    def changed(self, lost: Span, kept: Span, alike: bool) -> int:
        """Return whether giving up the words `lost` for the words `kept` changes a fact: HARD, SOFT or NONE.

        `alike` says that one may be a misspelling of the other.
        """
        old, new = (self.keys(self.page.phrase(span)) for span in (lost, kept))
        if _bare("".join(old)) == _bare("".join(new)):
            return NONE
        digits = [[w for w in words if _is_figure(w)] for words in (old, new)]
        if digits[0] and digits[0] != digits[1]:
            return HARD
        figures = [_FIGURES.intersection(words) for words in (old, new)]
        if figures[0] and figures[1] and figures[0] != figures[1]:
            return HARD
        negations = [[w for w in words if w in _NEGATIONS] for words in (old, new)]
        if negations[0] != negations[1] and max(len(old), len(new)) <= _STATED:
            if alike and len(old) == len(new):
                return HARD if all(self._known(w) for span in (lost, kept) for w in range(*span)) else NONE
            return SOFT if len(old) == len(new) else HARD
        names = [{k for w in range(*span) if self._is_name(w) for k in self._keys(w)} for span in (lost, kept)]
        return SOFT if names[0] - names[1] and (names[1] or not new) else NONE

    def _keys(self, word: int) -> list[str]:
        return self.keys(self.page.phrase((word, word + 1)))

    def _known(self, word: int) -> bool:
        """Whether `word` is a negation or stands elsewhere in the text too: it is no misspelling."""
        return not _NEGATIONS.isdisjoint(self._keys(word)) or self._counts[self.page.words.hashes[word]] > 1

    @cached_property
    def _counts(self) -> Counter[int]:
        return Counter(self.page.words.hashes)

    def _is_name(self, word: int) -> bool:
        """Whether `word` has a capital that no sentence, quotation or title gives it."""
        text, words = self.page.text, self.page.words
        if not text[words.starts[word]].isupper() or self.page.starts_paragraph(word):
            return False
        before = text[words.end(word - 1) : words.starts[word]]
        return not any(c in STOPS or c in OPENERS or c == ":" for c in before) and not self._in_title(word)

    def _in_title(self, word: int) -> bool:
        """Whether most words of the paragraph have a capital."""
        p = self.page.paragraph(word)
        if p not in self.titles:
            row = range(self.page.first[p], self.page.first[p + 1])
            capitals = sum(self.page.text[self.page.words.starts[w]].isupper() for w in row)
            self.titles[p] = capitals >= _TITLE * len(row)
        return self.titles[p]


def _bare(word: str) -> str:
    """A word without its accents."""
    return "".join(c for c in normalize("NFD", word) if not combining(c))


def _is_figure(word: str) -> bool:
    """Whether a word is a number, rather than a word with a letter misread as a digit."""
    digits = sum(c.isdecimal() for c in word)
    return digits > 0 and len(word) <= 2 * digits + _UNIT
