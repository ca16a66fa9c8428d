"""Greetings, thanks and goodbyes: what no document answers, and the reply to it."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

LONGEST = 100  # characters of a message that is small talk alone


class Talk(StrEnum):
    """What a visitor says beside any question; of several in one message, the first of these is answered."""

    BYE = "bye"
    THANKS = "thanks"
    HELLO = "hello"


# Words that go with any of them, and are none by themselves.
_ALONG = (
    "there|all|everyone|everybody|team|so much|very much|a lot|again|how are you|ok|okay|great|perfect|super|cool"
    "|zusammen|schön|sehr|nochmal|wie geht es ihnen|alles klar|tout le monde|beaucoup|bien|ça va|parfait"
    "|muchas|muchísimas|mil|cómo está|cómo estás|perfecto|vale|tante|mille|perfetto|come sta|come stai"
    "|muito|tudo bem|perfeito|heel erg|hartelijk|prima|bardzo|wielkie|serdecznie|çok|tamam|огромное|большое|вам|тебе"
    "|всем|хорошо|отлично|как дела|جزيلا|كثيرا|لك|لكم|حسنا|好的|大家|非常|太|どうも|本当に"
)
_SAID = {
    Talk.HELLO: (
        "hi|hello|hey|good morning|good afternoon|good evening|good day|hallo|guten tag|guten morgen|guten abend|moin"
        "|servus|grüß gott|grüezi|bonjour|salut|bonsoir|coucou|hola|buenos días|buen día|buenas tardes|buenas noches"
        "|buenas|ciao|salve|buongiorno|buon giorno|buonasera|buona sera|olá|oi|bom dia|boa tarde|boa noite"
        "|hoi|goedemorgen|goedemiddag|goedenavond|goedendag|goeiedag|dag|cześć|dzień dobry|dobry wieczór|witam|witaj"
        "|merhaba|merhabalar|selam|selamlar|günaydın|iyi günler|iyi akşamlar|привет|приветствую|здравствуйте"
        "|здравствуй|добрый день|доброе утро|добрый вечер|مرحبا|أهلا|أهلا وسهلا|السلام عليكم|سلام|صباح الخير|مساء الخير"
        "|你好|您好|大家好|嗨|哈喽|早上好|下午好|晚上好|こんにちは|こんばんは|おはようございます|おはよう|はじめまして|もしもし"
    ),
    Talk.THANKS: (
        "thanks|many thanks|thank you|thank u|thx|ty|cheers|danke|dankeschön|vielen dank|besten dank|herzlichen dank"
        "|merci|gracias|grazie|obrigado|obrigada|valeu|bedankt|dank je|dank je wel|dank u|dank u wel|dankjewel|dankuwel"
        "|dzięki|dziękuję|teşekkürler|teşekkür ederim|teşekkür ederiz|sağ ol|sağolun|спасибо|благодарю|شكرا|أشكرك"
        "|谢谢|謝謝|谢谢你|谢谢您|多谢|感谢|ありがとう|ありがとうございます|ありがとうございました|感謝します|助かりました"
    ),
    Talk.BYE: (
        "bye|bye bye|goodbye|good bye|see you|see you later|good night|have a nice day|have a good day|no thanks"
        "|no thank you|tschüss|tschüß|auf wiedersehen|bis bald|gute nacht|schönen tag|schönen tag noch|nein danke"
        "|au revoir|à bientôt|bonne journée|bonne soirée|bonne nuit|non merci|adiós|hasta luego|hasta pronto|chao"
        "|buen fin de semana|no gracias|arrivederci|ciao ciao|a presto|buona giornata|buona serata|buonanotte|no grazie"
        "|tchau|adeus|até logo|até mais|não obrigado|não obrigada|tot ziens|doei|fijne dag|fijne dag nog|nee bedankt"
        "|nee dank je|do widzenia|do zobaczenia|na razie|miłego dnia|nie dziękuję|görüşürüz|hoşça kal|hoşçakalın"
        "|güle güle|iyi geceler|hayır teşekkürler|до свидания|пока|всего доброго|всего хорошего|до встречи"
        "|спокойной ночи|нет спасибо|مع السلامة|وداعا|إلى اللقاء|تصبح على خير|لا شكرا"
        "|再见|再見|拜拜|回头见|晚安|不用了谢谢|さようなら|さよなら|またね|おやすみなさい|失礼します|結構です"
    ),
}
_REPLIES = {
    "en": {
        Talk.HELLO: "Hello! What would you like to know?",
        Talk.THANKS: "You are welcome! Is there anything else you would like to know?",
        Talk.BYE: "All the best! I am here whenever you have another question.",
    },
    "de": {
        Talk.HELLO: "Hallo! Was möchten Sie wissen?",
        Talk.THANKS: "Gern geschehen! Kann ich sonst noch helfen?",
        Talk.BYE: "Alles Gute! Ich bin da, wenn Sie noch eine Frage haben.",
    },
    "fr": {
        Talk.HELLO: "Bonjour ! Que souhaitez-vous savoir ?",
        Talk.THANKS: "Avec plaisir ! Puis-je vous aider pour autre chose ?",
        Talk.BYE: "Bonne continuation ! Je suis là si vous avez une autre question.",
    },
    "es": {
        Talk.HELLO: "¡Hola! ¿Qué le gustaría saber?",
        Talk.THANKS: "¡De nada! ¿Puedo ayudarle en algo más?",
        Talk.BYE: "¡Que le vaya bien! Aquí estoy si tiene otra pregunta.",
    },
    "it": {
        Talk.HELLO: "Salve! Che cosa desidera sapere?",
        Talk.THANKS: "Prego! Posso aiutarla in altro?",
        Talk.BYE: "Buona giornata! Sono qui se ha un’altra domanda.",
    },
    "pt": {
        Talk.HELLO: "Olá! O que gostaria de saber?",
        Talk.THANKS: "De nada! Posso ajudar em mais alguma coisa?",
        Talk.BYE: "Tudo de bom! Estou aqui se tiver outra pergunta.",
    },
    "nl": {
        Talk.HELLO: "Hallo! Wat wilt u weten?",
        Talk.THANKS: "Graag gedaan! Kan ik u nog ergens mee helpen?",
        Talk.BYE: "Tot ziens! Ik ben er als u nog een vraag hebt.",
    },
    "pl": {
        Talk.HELLO: "Dzień dobry! O co chcesz zapytać?",
        Talk.THANKS: "Nie ma za co! Czy mogę jeszcze w czymś pomóc?",
        Talk.BYE: "Wszystkiego dobrego! Jestem tu, gdy pojawi się kolejne pytanie.",
    },
    "tr": {
        Talk.HELLO: "Merhaba! Ne öğrenmek istersiniz?",
        Talk.THANKS: "Rica ederim! Başka bir konuda yardımcı olabilir miyim?",
        Talk.BYE: "İyi günler! Başka bir sorunuz olursa buradayım.",
    },
    "ru": {
        Talk.HELLO: "Здравствуйте! Что вы хотели бы узнать?",
        Talk.THANKS: "Пожалуйста! Могу ли я помочь чем-нибудь ещё?",
        Talk.BYE: "Всего доброго! Я здесь, если появится ещё вопрос.",
    },
    "zh": {
        Talk.HELLO: "您好！请问您想了解什么？",
        Talk.THANKS: "不客气！还有什么可以帮您的吗？",
        Talk.BYE: "祝您一切顺利！如有其他问题，欢迎随时提问。",
    },
    "ja": {
        Talk.HELLO: "こんにちは！どのようなことをお知りになりたいですか？",
        Talk.THANKS: "どういたしまして。ほかにお手伝いできることはありますか？",
        Talk.BYE: "ご利用ありがとうございました。またご質問がありましたら、いつでもどうぞ。",
    },
    "ar": {
        Talk.HELLO: "مرحبا! ماذا تود أن تعرف؟",
        Talk.THANKS: "على الرحب والسعة! هل هناك شيء آخر يمكنني المساعدة فيه؟",
        Talk.BYE: "مع أطيب التمنيات! أنا هنا إذا كان لديك سؤال آخر.",
    },
}
_UNSPACED = r"[\u3040-\u30ff\u3400-\u9fff]"


def small_talk(text: str, *, language: str) -> str | None:
    """The reply to what is nothing but a greeting, thanks or a goodbye, in this language or in English; None for
    anything else.
    """
    plain = _plain(text[: LONGEST + 1])
    if len(text.strip()) > LONGEST or not _ONLY.fullmatch(plain):
        return None
    kind = next((kind for kind, phrases in _PHRASES.items() if phrases.search(plain)), None)
    return _REPLIES.get(language[:2].lower(), _REPLIES["en"])[kind] if kind else None


def _plain(text: str) -> str:
    """Lower case, without accents, signs and emoji."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        " " if unicodedata.category(sign)[0] in "PSZC" else sign for sign in letters if not _is_mark(sign)
    )
    return " ".join("".join(kept).split())


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) == "Mn" or sign == "ـ"  # Arabic's stretching


def _any_of(phrases: str) -> str:
    """The longest first; a whole word where words are parted by spaces."""
    plain = sorted(map(_plain, phrases.split("|")), key=len, reverse=True)
    return "|".join(phrase if re.match(_UNSPACED, phrase) else rf"\b{phrase}\b" for phrase in plain)


_PHRASES = {kind: re.compile(_any_of(_SAID[kind])) for kind in Talk}
_ONLY = re.compile(rf"(?:(?:{_any_of('|'.join([_ALONG, *_SAID.values()]))}) ?)+")
