namespace Sdxl.Core.Encodings;

/// <summary>
/// How unlikely a letter is in a text of one language, in nats (the negative logarithm of its probability). Rough on purpose: what tells
/// code pages apart is that the wrong one makes letters that nobody writes.
/// </summary>
/// <remarks>Each function takes the letter and the two bytes that it has in its code page: the pages of East Asia are ordered by how common
/// a sign is.</remarks>
internal static class LetterCosts
{
    /// <summary>A letter of ASCII, the same in all of these pages.</summary>
    public const double Ascii = 4.2;

    /// <summary>A control character, or a place that a code page leaves to its users: no text has them.</summary>
    public const double Impossible = 25;

    private const double Rare = 14;
    private const double CommonHan = 6.7, Han = 9.1, RareHan = 12.5, ExtendedHan = 15;

    private const string HanOfChina =
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想"
        + "实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应向头文体政美相见被什二等产或新己果加西月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比"
        + "水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直山金指许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且"
        + "照片猫狗花春夏秋冬红绿蓝黑黄紫图画园草树木叶河湖坐站穿戴帽衣色风雨雪云星夜晨街房屋桌椅车船鸟鱼";

    private const string HanOfTaiwan =
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想"
        + "實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應向頭文體政美相見被什二等產或新己果加西月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比"
        + "水名真論處走義各入幾口認條平系氣題活更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直山金指許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且"
        + "照片貓狗花春夏秋冬紅綠藍黑黃紫圖畫園草樹木葉河湖坐站穿戴帽衣色風雨雪雲星夜晨街房屋桌椅車船鳥魚";

    private const string Syllables = "이다의는에을가고하지를도로은서기사나한리자시어인해대수그아정일보있과으전것제부게원동조성장만주거구라스진양강개빨간파란";

    /// <summary>Western Europe: the letters with marks of French, German, Spanish, Portuguese, Italian and the Nordic languages.</summary>
    public static double Western(char letter, int lead, int trail) =>
        letter switch
        {
            _ when "éüöäáíóñçãèàßåøúê".Contains(letter) => 5.5,
            _ when "âîôûëïìòùæœõýÿðþ".Contains(letter) => 7.3,
            _ when "ÄÖÜÉÀÇÅØÑÁÈÊÎÔÆŒÍÓÚÂËÏÃÕ".Contains(letter) => 7.4,
            '’' or '“' or '”' or '–' => 6.5,
            '‘'
            or '—'
            or '…'
            or '«'
            or '»'
            or '°'
            or '·'
            or '¿'
            or '¡'
            or '€'
            or '£'
            or '§'
            or '©'
            or '®'
            or '½'
            or '×'
            or '²'
            or '\u00A0'
            or 'ª'
            or 'º' => 7.5,
            _ => Other(letter),
        };

    /// <summary>Poland, Czechia, Hungary and their neighbours.</summary>
    public static double Central(char letter, int lead, int trail) => letter switch
    {
        _ when "ąćęłńóśźżáčďéěíňóřšťúůýžőűäöüß".Contains(letter) => 5.8,
        _ when "ĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽŐŰÄÖÜ".Contains(letter) => 7.6,
        '’' or '“' or '”' or '„' or '–' or '—' or '…' => 7,
        _ => Other(letter),
    };

    public static double Turkish(char letter, int lead, int trail) =>
        "ğışçöü".Contains(letter) ? 5 : "İŞĞÇÖÜ".Contains(letter) ? 6.5 : Western(letter, lead, trail) + 2;

    /// <summary>Russian, Ukrainian and their kin.</summary>
    public static double Cyrillic(char letter, int lead, int trail) => letter switch
    {
        _ when "оеаинтсрвлкмдпу".Contains(letter) => 3.2,
        >= 'а' and <= 'я' => 4.4,
        >= 'А' and <= 'Я' => 5.5,
        _ when "ёіїєґўЁІЇЄ".Contains(letter) => 6,
        '«' or '»' or '№' or '—' or '–' or '…' => 6.5,
        _ => Other(letter),
    };

    public static double Greek(char letter, int lead, int trail) => letter switch
    {
        _ when "αοετσνηκρπυλμιάίό".Contains(letter) => 3.4,
        >= 'ά' and <= 'ώ' => 4.6,
        >= 'Ά' and <= 'Ω' => 5.7,
        _ => Other(letter),
    };

    public static double Hebrew(char letter, int lead, int trail) => letter is >= 'א' and <= 'ת' ? 3.3 : Other(letter);

    public static double Arabic(char letter, int lead, int trail) => letter
        is >= '\u0621' and <= '\u0652' or '،' or '؟' or 'پ' or 'چ' or 'گ' ? 3.8 : Other(letter);

    public static double Thai(char letter, int lead, int trail) => letter is >= 'ก' and <= '๛' ? 4.1 : Other(letter);

    /// <summary>Shift-JIS: the first level, rows 88 to 98, holds what is in use.</summary>
    public static double Japanese(char letter, int lead, int trail) => IsHan(letter) ? lead < 0x98 || lead == 0x98 && trail <= 0x72 ? Han
        : RareHan : Kana(letter);

    /// <summary>EUC-JP, with the first level in rows B0 to CF.</summary>
    public static double JapaneseEuc(char letter, int lead, int trail) => IsHan(letter) ? lead is >= 0xB0 and <= 0xCF ? Han : RareHan
        : Kana(letter);

    /// <summary>GB 2312 has its common signs in rows B0 to D7; GBK added the rest below and beside it.</summary>
    public static double Chinese(char letter, int lead, int trail) => letter switch
    {
        _ when HanOfChina.Contains(letter) => CommonHan,
        _ when IsHan(letter) => trail < 0xA1 || lead < 0xB0 ? ExtendedHan : lead <= 0xD7 ? Han + 0.2 : RareHan,
        _ => EastAsianMark(letter),
    };

    /// <summary>Big5 has its common signs in rows A4 to C6.</summary>
    public static double Taiwanese(char letter, int lead, int trail) => letter switch
    {
        _ when HanOfTaiwan.Contains(letter) => CommonHan,
        _ when IsHan(letter) => lead is >= 0xA4 and <= 0xC6 ? Han + 0.5 : RareHan,
        _ => EastAsianMark(letter),
    };

    /// <summary>The 2350 syllables of KS X 1001 stand in rows B0 to C8.</summary>
    public static double Korean(char letter, int lead, int trail) => letter switch
    {
        _ when Syllables.Contains(letter) => 4.9,
        >= '\uAC00' and <= '\uD7A3' => trail >= 0xA1 && lead is >= 0xB0 and <= 0xC8 ? 8.5 : 13.7,
        _ when IsHan(letter) => 13.8,
        _ => EastAsianMark(letter),
    };

    private static double Kana(char letter) => letter switch
    {
        _ when "のにはをたがでとしれさいるもかなこそうくりっらまてすあき".Contains(letter) => 4.4,
        >= 'ぁ' and <= 'ゖ' => 6.9,
        >= 'ァ' and <= 'ヶ' or 'ー' => 6.6,
        >= '\uFF66' and <= '\uFF9F' => 9.4, // half as wide: of old terminals
        _ => EastAsianMark(letter),
    };

    private static double EastAsianMark(char letter) => letter switch
    {
        '、' or '。' or '，' or '・' or '「' or '」' or '！' or '？' or '（' or '）' or '：' or '　' => 6,
        >= '！' and <= '～' => 9, // letters and digits as wide as a sign
        >= '\u3001' and <= '\u301F' or '々' => 8,
        _ => Other(letter),
    };

    private static bool IsHan(char letter) => letter is >= '\u4E00' and <= '\u9FFF' or >= '\uF900' and <= '\uFAFF';

    private static double Other(char letter) => char.IsControl(letter) || letter is '\uFFFD' or >= '\uE000' and <= '\uF8FF' ? Impossible
        : Rare;
}
