"""The texts on which tokenizers are compared: sentences of our own in many scripts, and seeded compositions of words,
marks, controls, emoji and bytes that are no UTF-8.

    python3 tests/golden/tokenizer_texts.py > tests/golden/tokenizer_texts.jsonl

One JSON text a line; bytes that are no UTF-8 stand as {"hex": "..."}.
"""

import json
import random
import re

SENTENCES = r"""The plumb line hangs still, and the wall leans away from it.
Nobody asked the mason why the third course of bricks didn't follow the string.
She'll weigh 3 stones, 14 pebbles and 1,250 grains of sand before we're done.
I've measured it twice; they'd measured it once, and you're welcome to try.
HELLO again, said the Echo - hello AGAIN, again, again...
e-mail: mason@example.org, path: /home/mason/wall.txt, price: $9.99 (+20 %)
def lean(wall):\n    return wall.top - wall.bottom  # in millimetres
Il muro pende, però la città non se n'è accorta.
Où est passé l'été ? Déjà l'automne, naïf et mûr, œuvre à Noël.
Größe, Maß und Übermut: der Maurer prüft süße Äpfel.
Blåbærsyltetøy på brød er ikke så dårlig, sa Åse.
Zażółć gęślą jaźń, a potem odpocznij.
Árvíztűrő tükörfúrógép, mondta a kőműves.
Ťažký kôň stál pri múre.
İstanbul'da ılık bir akşam, ÇIĞLIK ve ışık.
Στην άκρη του τοίχου κρέμεται ένα νήμα. ΟΔΟΣ, οδός.
Отвес висит ровно, а стена наклонилась; ёж этого не заметил.
Стіна похилилася, але їжак спить у ґанку.
Սյունը ուղիղ է, պատը՝ ոչ։
החוט תלוי בשקט, והקיר נוטה הצידה. שָׁלוֹם לְכֻלָּם
الخيط معلّق بهدوء، والجدار يميل. السَّلامُ عَلَيْكُمْ ورحمة ١٢٣
دیوار کج است، اما شاقول راست می‌گوید؛ ۴۵۶
دیوار ٹیڑھی ہے مگر دھاگا سیدھا ہے۔
दीवार टेढ़ी है, पर धागा सीधा लटकता है। क्षत्रिय ज्ञान
দেয়ালটা হেলে আছে, সুতোটা সোজা।
சுவர் சாய்ந்திருக்கிறது, நூல் நேராக இருக்கிறது.
กำแพงเอียง แต่ลูกดิ่งยังตรงอยู่
ກໍາແພງອຽງ
གྱང་འདི་གྱོང་གྱོང་འདུག
ကနံရံက စောင်းနေတယ်။
კედელი იხრება, ძაფი კი სწორია.
ግድግዳው ዘንበል ብሏል።
墙歪了，可是铅垂线还是直的。你量过三次吗？
牆歪了，但鉛垂線仍然筆直；𠮷野家在轉角。
壁は傾いているが、下げ振りはまっすぐだ。ｶﾞﾗｽのコップ、１２３個。
がぎぐげご と が ぎ は おなじ？
벽은 기울었지만 다림줄은 곧다. 한글과 조합형 한글
Tường nghiêng, nhưng dây dọi vẫn thẳng. Tiếng Việt rất đẹp.
Cafe\u0301 au lait, n\u0303andu\u0301, A\u030a\u0301 stacked z\u0351\u0332\u0323algo
The ﬁrst ﬂight of the ﬀ ligature, ½ of ② cups, Ⅷ bells, x² + y₃, ™ and ℃
ＦＵＬＬ ｗｉｄｔｈ ａｎｄ half-width ﾊﾝｶｸ
Emoji: 😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇰🇯🇵 ❤️ ☃ ✊🏿 1️⃣
Maths: ∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, ∑ 𝑎ᵢ ≠ ∫ 𝕏 d𝜇 → ∞
Tabs\tand\u00a0hard\u2003spaces\u3000stand  here   and    there     .
  leading blanks and trailing ones   
line one\nline two\r\nline three\n\n\n  indented
zero\u200bwidth\u200djoiner\ufeffmark\u2060and soft\u00adhyphen
control\u0001\u0007\u001b[31mred\u001b[0m\u007f and \u0085 next line
\u202eright to left override\u202c \u2066isolate\u2069
null \u0000 byte and replacement \ufffd character
private \ue000 use, unassigned \U000e0fff, noncharacter \uffff here
'twas 'the 'llama's 'RE 'Ve 'D it'S we'LL I'M
snake_case camelCase PascalCase kebab-case SCREAMING_CASE 0x1F4A9 1e-9
1 22 333 4444 55555 666666 7777777 12345678901234567890
!!!??...,,,;;;::: ((([[[{{{<<<>>>}}}]]]))) ___---+++===***
[CLS] is not [MASK], nor </s> or <s>, <unk> <|endoftext|> <|im_start|>user
<|start_story|>Once upon a time<|end_story|>
▁already▁spaced ▁▁twice
Ġnot a space, nor Ċ a line
ǅ Ǆ ß ẞ ſ K Å Ω İ ı ŉ ΐ և
᠎Mongolian ᠮᠣᠩᠭᠣᠯ separator᠎here
supercalifragilisticexpialidociousandthensomemoreuntilthewordismuchlongerthanonehundredcharactersinalltoseewhathappenstoit yes
https://example.org/a/b?c=d&e=f#g%20h
a
é
 
"""

WORDS = """wall line stone mason Wall LINE don't we'll it's plumb leaning 7 42 2024 3.14 größe naïve ёлка стена קיר שלום جدار سَلام
墙 直线 ひも 까치 दीवार กำแพง 😀 👍🏽 🇩🇰 👩‍👧 e\u0301 o\u0308\u0323 ﬁ ② ｱ … “quoted” —dash— (x) [y] {z} <b> a_b a-b a/b $5 50% #1 @me ~ ^ ` | \\
Ελλάδα ქარი հող ገመድ தமிழ் ’s 's 'S 'll \u200d \u200b \ufeff ﷺ ½ x² İ ß Σας ΟΔΟΣ zzzzzz qqq""".split()

SPACES = [" ", " ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u3000", "", "", "   ", "\r\n", " \n "]
BAD_BYTES = [b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80",
             b"\xe2\x28\xa1", b"\xfe\xfe\xff\xff", b"\x80\x81\x82\x83\x84"]


ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])")


def unescape(match):
    code = match[1]
    return {"n": "\n", "r": "\r", "t": "\t"}.get(code) or chr(int(code[1:], 16))


def composition(rng):
    text = ""
    for _ in range(rng.randint(1, 12)):
        text += rng.choice(WORDS) + rng.choice(SPACES)
    return text


def anything(rng):
    """Characters from anywhere, no surrogates."""
    blocks = [(0, 0x7f), (0x80, 0x24f), (0x250, 0x5ff), (0x600, 0x10ff), (0x1100, 0x2fff), (0x3000, 0xd7ff), (0xe000, 0xffff),
              (0x1f300, 0x1faff), (0x20000, 0x2ebe0)]
    text = ""
    for _ in range(rng.randint(1, 10)):
        low, high = rng.choice(blocks)
        text += "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 4))) + rng.choice(["", " "])
    return text


def broken(rng):
    text = b""
    for _ in range(rng.randint(1, 8)):
        text += rng.choice([rng.choice(BAD_BYTES), rng.choice(WORDS).encode(), b" ", rng.randbytes(2)])
    return text


def texts():
    """str where the text is UTF-8, else bytes."""
    rng = random.Random(20261125)
    made = [ESCAPE.sub(unescape, line) for line in SENTENCES.split("\n")]
    made += [a + rng.choice(SPACES) + b for a, b in zip(made, made[7:])][:40]
    made += [composition(rng) for _ in range(360)]
    made += [anything(rng) for _ in range(60)]
    for _ in range(60):
        data = broken(rng)
        try:
            made.append(data.decode())
        except UnicodeDecodeError:
            made.append(data)
    return made


def main():
    for text in texts():
        print(json.dumps(text if isinstance(text, str) else {"hex": text.hex()}, ensure_ascii=False))


if __name__ == "__main__":
    main()
