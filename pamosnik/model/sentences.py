"""The built-in sentences in four languages: what Pamosnik says where the owner said nothing else."""

from pamosnik.model.book import Sentence

BUILT_IN: dict[str, dict[Sentence, str]] = {
    "en": {
        Sentence.STOPPED: "You will get no more automatic messages. Write START to get them again.",
        Sentence.STARTED: "Welcome back! You will get automatic messages again.",
        Sentence.HUMAN_CALLED: "A person will answer you here.",
        Sentence.NOT_UNDERSTOOD: "Sorry, I did not understand that. Please try again.",
        Sentence.SKIP: "Skip",
        Sentence.REPLY_WITH: "Reply",
        Sentence.FORGET_SURE: "Shall I really delete everything I know about you?",
        Sentence.FORGOTTEN: "Done. Everything about you is deleted.",
        Sentence.FORGET_YES: "Yes, delete it",
        Sentence.FORGET_NO: "No, keep it",
    },
    "de": {
        Sentence.STOPPED: "Du bekommst keine automatischen Nachrichten mehr. Mit START bekommst du sie wieder.",
        Sentence.STARTED: "Willkommen zurück! Du bekommst wieder automatische Nachrichten.",
        Sentence.HUMAN_CALLED: "Ein Mensch antwortet dir hier.",
        Sentence.NOT_UNDERSTOOD: "Das habe ich leider nicht verstanden. Versuch es bitte noch einmal.",
        Sentence.SKIP: "Überspringen",
        Sentence.REPLY_WITH: "Antworte",
        Sentence.FORGET_SURE: "Soll ich wirklich alles löschen, was ich über dich weiß?",
        Sentence.FORGOTTEN: "Erledigt. Alles über dich ist gelöscht.",
        Sentence.FORGET_YES: "Ja, löschen",
        Sentence.FORGET_NO: "Nein, behalten",
    },
    "pl": {
        Sentence.STOPPED: "Nie dostaniesz już automatycznych wiadomości. Napisz START, żeby je wznowić.",
        Sentence.STARTED: "Witaj ponownie! Znów będziesz dostawać automatyczne wiadomości.",
        Sentence.HUMAN_CALLED: "Odpowie tutaj człowiek.",
        Sentence.NOT_UNDERSTOOD: "Przepraszam, nie zrozumiałem. Spróbuj jeszcze raz.",
        Sentence.SKIP: "Pomiń",
        Sentence.REPLY_WITH: "Odpisz",
        Sentence.FORGET_SURE: "Czy na pewno usunąć wszystko, co o Tobie wiem?",
        Sentence.FORGOTTEN: "Gotowe. Wszystko o Tobie zostało usunięte.",
        Sentence.FORGET_YES: "Tak, usuń",
        Sentence.FORGET_NO: "Nie, zostaw",
    },
    "es": {
        Sentence.STOPPED: "No recibirás más mensajes automáticos. Escribe START para volver a recibirlos.",
        Sentence.STARTED: "¡Hola de nuevo! Volverás a recibir mensajes automáticos.",
        Sentence.HUMAN_CALLED: "Una persona te responderá aquí.",
        Sentence.NOT_UNDERSTOOD: "Perdona, no lo he entendido. Inténtalo otra vez, por favor.",
        Sentence.SKIP: "Omitir",
        Sentence.REPLY_WITH: "Responde",
        Sentence.FORGET_SURE: "¿De verdad quieres que borre todo lo que sé de ti?",
        Sentence.FORGOTTEN: "Hecho. Todo lo tuyo está borrado.",
        Sentence.FORGET_YES: "Sí, bórralo",
        Sentence.FORGET_NO: "No, consérvalo",
    },
}

YES: dict[str, tuple[str, ...]] = {
    "en": ("yes", "y", "yes please"),
    "de": ("ja", "ja bitte"),
    "pl": ("tak", "tak poproszę"),
    "es": ("sí", "si", "sí por favor"),
}
"""Words that confirm, beside the label. English always counts."""

DISCLOSURE: dict[str, str] = {
    "en": "Automated reply.",
    "de": "Automatische Antwort.",
    "pl": "Odpowiedź automatyczna.",
    "es": "Respuesta automática.",
}
"""First line of the first automated message to a person."""
