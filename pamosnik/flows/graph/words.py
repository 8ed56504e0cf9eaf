"""The few words of a picture, in the languages of the built-in sentences."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pamosnik.flows.graph.measure import NO_BREAK
from pamosnik.model.text import MatchMode, Text, Variable, Words

LANGUAGES = ("en", "de", "pl", "es")

_PHRASES: Mapping[str, tuple[str, str, str, str]] = {
    # What stands above a node.
    "starts": ("Starts with", "Beginnt mit", "Zaczyna się od", "Empieza con"),
    "only_if": ("Only if", "Nur wenn", "Tylko jeśli", "Solo si"),
    "message": ("Message", "Nachricht", "Wiadomość", "Mensaje"),
    "question": ("Question", "Frage", "Pytanie", "Pregunta"),
    "public_reply": (
        "Public reply",
        "Öffentliche Antwort",
        "Publiczna odpowiedź",
        "Respuesta pública",
    ),
    "wait": ("Wait", "Warten", "Czekanie", "Espera"),
    "wait_for": ("Wait for", "Warten auf", "Czekanie na", "Espera a"),
    "choose": (
        "Which is true first?",
        "Was stimmt zuerst?",
        "Co pasuje najpierw?",
        "¿Qué se cumple primero?",
    ),
    "split": ("Split", "Aufteilung", "Podział", "Reparto"),
    "call": ("Call", "Aufruf", "Wywołanie", "Llamada"),
    "notify": ("Tells you", "Sagt dir", "Powiadamia cię", "Te avisa"),
    "hand_over": ("A person takes over", "Ein Mensch übernimmt", "Przejmuje człowiek", "Sigue una persona"),
    "code": ("Gives a code", "Gibt einen Code", "Daje kod", "Da un código"),
    "goal": ("Goal", "Ziel", "Cel", "Meta"),
    "tag": ("tag", "Tag", "tag", "etiqueta"),
    "set": ("sets", "setzt", "ustawia", "pone"),
    "clear": ("clears", "leert", "czyści", "borra"),
    "react": ("Reacts with", "Reagiert mit", "Reaguje:", "Reacciona con"),
    "hide": ("Hides the comment", "Verbirgt den Kommentar", "Ukrywa komentarz", "Oculta el comentario"),
    "delete": ("Deletes the comment", "Löscht den Kommentar", "Usuwa komentarz", "Borra el comentario"),
    "jump": ("Goes on in", "Weiter in", "Dalej w", "Sigue en"),
    "again": (
        "Again, at most {n}×",
        "Nochmal, höchstens {n}×",
        "Znowu, najwyżej {n}×",
        "Otra vez, máximo {n}×",
    ),
    "stop": ("Stops here", "Endet hier", "Koniec tutaj", "Termina aquí"),
    "opt_out": (
        "No more messages",
        "Keine Nachrichten mehr",
        "Koniec wiadomości",
        "No más mensajes",
    ),
    "forget_me": (
        "Erases the person’s data, if they confirm",
        "Löscht die Daten der Person, wenn sie zustimmt",
        "Usuwa dane osoby, jeśli potwierdzi",
        "Borra los datos de la persona si confirma",
    ),
    # What stands beside an edge.
    "otherwise": ("otherwise", "sonst", "w innym razie", "si no"),
    "an_answer": ("an answer", "eine Antwort", "odpowiedź", "una respuesta"),
    "answers": ("answers", "antwortet", "odpowiada", "responde"),
    "taps": ("taps", "tippt", "klika", "toca"),
    "back": ("back", "zurück", "z powrotem", "vuelve"),
    "other_answer": ("another answer", "andere Antwort", "inna odpowiedź", "otra respuesta"),
    "not_understood": (
        "not understood {n}×",
        "{n}× nicht verstanden",
        "{n}× niezrozumiane",
        "no entendido {n}×",
    ),
    "misfit_human": (
        "not understood {n}×: a person takes over",
        "{n}× nicht verstanden: ein Mensch übernimmt",
        "{n}× niezrozumiane: przejmuje człowiek",
        "no entendido {n}×: sigue una persona",
    ),
    "no_answer": (
        "no answer within {time}",
        "keine Antwort in {time}",
        "brak odpowiedzi przez {time}",
        "sin respuesta en {time}",
    ),
    "not_within": ("not within {time}", "nicht in {time}", "nie przez {time}", "no en {time}"),
    "fails": ("if it fails", "wenn es misslingt", "jeśli się nie uda", "si falla"),
    "empty": ("no code left", "kein Code mehr da", "brak kodów", "sin códigos"),
    # Small lines within a node.
    "saves": ("saved as {what}", "gespeichert als {what}", "zapis: {what}", "se guarda como {what}"),
    "up_to": (
        "waits up to {time}",
        "wartet höchstens {time}",
        "czeka najwyżej {time}",
        "espera hasta {time}",
    ),
    "until": ("until {time}", "bis {time}", "do {time}", "hasta {time}"),
    "after": ("after {time}", "nach {time}", "po {time}", "tras {time}"),
    "pauses": (
        "automation rests for {time}",
        "Automatik ruht {time}",
        "automat milczy {time}",
        "pausa de {time}",
    ),
    "variants": ("1 of {n} texts", "1 von {n} Texten", "1 z {n} tekstów", "1 de {n} textos"),
    "closed_skip": (
        "window closed: messages are left out",
        "Fenster zu: Nachrichten entfallen",
        "okno zamknięte: bez wiadomości",
        "ventana cerrada: sin mensajes",
    ),
    "closed_stop": (
        "window closed: stops",
        "Fenster zu: endet",
        "okno zamknięte: koniec",
        "ventana cerrada: termina",
    ),
    "closed_tell_me": (
        "window closed: tells you",
        "Fenster zu: sagt es dir",
        "okno zamknięte: powie ci",
        "ventana cerrada: te avisa",
    ),
    "takes_image": ("an image", "ein Bild", "zdjęcie", "una imagen"),
    "image": ("image", "Bild", "zdjęcie", "imagen"),
    "images": ("{n} images", "{n} Bilder", "zdjęcia: {n}", "{n} imágenes"),
    "video": ("video", "Video", "film", "vídeo"),
    "audio": ("audio", "Audio", "dźwięk", "audio"),
    "file": ("file", "Datei", "plik", "archivo"),
    "post": ("post", "Beitrag", "post", "publicación"),
    "card": ("Card", "Karte", "Karta", "Tarjeta"),
    # What starts a flow.
    "comment": ("comment", "Kommentar", "komentarz", "comentario"),
    "live_comment": (
        "comment on a live video",
        "Kommentar im Live-Video",
        "komentarz na żywo",
        "comentario en directo",
    ),
    "dm": ("message", "Nachricht", "wiadomość", "mensaje"),
    "story_reply": (
        "reply to a story",
        "Antwort auf eine Story",
        "odpowiedź na relację",
        "respuesta a historia",
    ),
    "story_mention": (
        "mention in a story",
        "Erwähnung in einer Story",
        "oznaczenie w relacji",
        "mención en historia",
    ),
    "shared_post": ("shared post", "geteilter Beitrag", "udostępniony post", "publicación compartida"),
    "reaction": ("reaction", "Reaktion", "reakcja", "reacción"),
    "link": ("ig.me link", "ig.me-Link", "link ig.me", "enlace ig.me"),
    "ad": ("ad", "Anzeige", "reklama", "anuncio"),
    "tag_added": ("new tag", "neuer Tag", "nowy tag", "nueva etiqueta"),
    "field_set": ("field set", "Feld gesetzt", "ustawione pole", "campo puesto"),
    "ice_breaker": ("opening question", "Einstiegsfrage", "pytanie na start", "pregunta inicial"),
    "menu": ("menu", "Menü", "menu", "menú"),
    "first_message": (
        "the first message ever",
        "die allererste Nachricht",
        "pierwsza wiadomość",
        "el primer mensaje",
    ),
    "anything_else": (
        "anything no other flow takes",
        "alles, was kein anderer Ablauf nimmt",
        "wszystko, czego nie bierze inny scenariusz",
        "lo que no toma otro flujo",
    ),
    "schedule": ("by the clock", "nach der Uhr", "o czasie", "por reloj"),
    "only_from_others": (
        "another flow or the API",
        "ein anderer Ablauf oder die API",
        "inny scenariusz lub API",
        "otro flujo o la API",
    ),
    "every": ("any", "jeder Text", "każda", "cualquiera"),
    "but_not": ("but not", "aber nicht", "ale nie", "pero no"),
    "next_post": (
        "on the next post",
        "beim nächsten Beitrag",
        "pod następnym postem",
        "en la próxima publicación",
    ),
    "this_post": ("on {what}", "bei {what}", "pod {what}", "en {what}"),
    "and_replies": ("also replies", "auch Antworten", "także odpowiedzi", "también respuestas"),
    "every_day": ("every day", "jeden Tag", "codziennie", "cada día"),
    "audience": ("to people with: {what}", "an Leute mit: {what}", "do osób: {what}", "a quienes: {what}"),
    "exact": ("exactly", "genau", "dokładnie", "exacto"),
    "starts_with": ("begins with", "beginnt mit", "zaczyna się od", "empieza por"),
    "contains": ("contains", "enthält", "zawiera", "contiene"),
    "fuzzy": ("similar to", "ähnlich wie", "podobne do", "parecido a"),
    "regex": ("pattern", "Muster", "wzorzec", "patrón"),
    # Conditions and limits.
    "and": (" and ", " und ", " i ", " y "),
    "or": (" or ", " oder ", " lub ", " o "),
    "none": ("none of: {what}", "nichts davon: {what}", "nic z: {what}", "nada de: {what}"),
    "has_tag": ("has tag {what}", "hat Tag {what}", "ma tag {what}", "tiene etiqueta {what}"),
    "has_not_tag": ("no tag {what}", "kein Tag {what}", "bez tagu {what}", "sin etiqueta {what}"),
    "known": ("{what} is known", "{what} ist bekannt", "{what} jest znane", "{what} se conoce"),
    "unknown": ("{what} is not known", "{what} ist unbekannt", "{what} nieznane", "{what} no se conoce"),
    "text_has": ("text has", "Text hat", "tekst ma", "el texto tiene"),
    "text": ("text:", "Text:", "tekst:", "texto:"),
    "first_time": ("for the first time", "zum ersten Mal", "pierwszy raz", "por primera vez"),
    "not_first_time": (
        "not for the first time",
        "nicht zum ersten Mal",
        "nie pierwszy raz",
        "no por primera vez",
    ),
    "window_open": ("window is open", "Fenster ist offen", "okno otwarte", "ventana abierta"),
    "window_closed": ("window is closed", "Fenster ist zu", "okno zamknięte", "ventana cerrada"),
    "during": ("during “{what}”", "während „{what}“", "w godzinach „{what}”", "durante «{what}»"),
    "outside": ("outside “{what}”", "außerhalb „{what}“", "poza godzinami „{what}”", "fuera de «{what}»"),
    "follows": ("follows you", "folgt dir", "obserwuje cię", "te sigue"),
    "follows_not": ("does not follow you", "folgt dir nicht", "nie obserwuje cię", "no te sigue"),
    "follows_unknown": (
        "unknown if they follow",
        "Folgen unbekannt",
        "nie wiadomo, czy obserwuje",
        "no se sabe si sigue",
    ),
    "verified": ("is verified", "ist verifiziert", "zweryfikowane konto", "está verificada"),
    "verified_not": ("is not verified", "nicht verifiziert", "niezweryfikowane", "no verificada"),
    "verified_unknown": (
        "unknown if verified",
        "Verifizierung unbekannt",
        "nie wiadomo, czy zweryfikowane",
        "no se sabe si verificada",
    ),
    "followers": ("followers", "Follower", "obserwujący", "seguidores"),
    "no_followers": (
        "followers not known",
        "Follower unbekannt",
        "obserwujący nieznani",
        "seguidores desconocidos",
    ),
    "came_from": ("came by {what}", "kam durch {what}", "przyszło przez: {what}", "llegó por {what}"),
    "dm_origin": ("message", "Nachricht", "wiadomość", "mensaje"),
    "story_origin": ("story", "Story", "relacja", "historia"),
    "once": ("once per person", "einmal pro Person", "raz na osobę", "una vez por persona"),
    "cool_down": (
        "once per person in {time}",
        "einmal pro Person in {time}",
        "raz na osobę w ciągu {time}",
        "una vez por persona en {time}",
    ),
    "per_post": (
        "once per person and post",
        "einmal pro Person und Beitrag",
        "raz na osobę i post",
        "una vez por persona y publicación",
    ),
    "from": ("from {time}", "ab {time}", "od {time}", "desde {time}"),
    "paused": ("paused in its file", "pausiert in der Datei", "wstrzymane w pliku", "pausado en el archivo"),
    "priority": (
        "priority\u00a0{n}",
        "Priorität\u00a0{n}",
        "priorytet\u00a0{n}",
        "prioridad\u00a0{n}",
    ),
    "on_account": ("on {what}", "auf {what}", "na {what}", "en {what}"),
    "restart": (
        "again while in it: from the start",
        "nochmal mittendrin: von vorn",
        "ponownie w trakcie: od nowa",
        "otra vez dentro: desde el inicio",
    ),
    "parallel": (
        "again while in it: side by side",
        "nochmal mittendrin: nebeneinander",
        "ponownie w trakcie: równolegle",
        "otra vez dentro: en paralelo",
    ),
    # Numbers.
    "here_now": ("{n} here now", "{n} gerade hier", "{n} teraz tutaj", "{n} ahora aquí"),
    # The legend.
    "at_once": ("at once", "sofort", "od razu", "enseguida"),
    "person": (
        "when they answer or tap",
        "wenn sie antworten oder tippen",
        "gdy odpowie lub kliknie",
        "cuando responde o toca",
    ),
    "time": ("when time has passed", "wenn Zeit vergangen ist", "gdy minie czas", "cuando pasa el tiempo"),
    "the_end": ("the end", "Ende", "koniec", "fin"),
    "picture": ("Flow: {what}", "Ablauf: {what}", "Scenariusz: {what}", "Flujo: {what}"),
}

_DAYS: tuple[tuple[str, str], ...] = (("day", "days"), ("Tag", "Tage"), ("dzień", "dni"), ("día", "días"))
_WEEKDAYS = (
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
    ("pon.", "wt.", "śr.", "czw.", "pt.", "sob.", "niedz."),
    ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
)
_MODES = {
    MatchMode.EXACT: "exact",
    MatchMode.STARTS_WITH: "starts_with",
    MatchMode.CONTAINS: "contains",
    MatchMode.FUZZY: "fuzzy",
    MatchMode.REGEX: "regex",
}


class Vocabulary:
    """The phrases of one language; English for a language that has none."""

    def __init__(self, language: str) -> None:
        code = language.split("-")[0].lower()
        self._column = LANGUAGES.index(code) if code in LANGUAGES else 0

    def __call__(self, key: str, **values: object) -> str:
        return _PHRASES[key][self._column].format(**values)

    def duration(self, span: timedelta) -> str:
        """`3 h`, `1 h 30 min`, `2 days`; no line ends between a number and its unit."""
        seconds = int(span.total_seconds())
        parts = []
        days, seconds = divmod(seconds, 86400)
        if days:
            parts.append(f"{days}{NO_BREAK}{_DAYS[self._column][days != 1]}")
        for size, unit in ((3600, "h"), (60, "min"), (1, "s")):
            count, seconds = divmod(seconds, size)
            if count:
                parts.append(f"{count}{NO_BREAK}{unit}")
        return " ".join(parts) or f"0{NO_BREAK}s"

    def weekdays(self, days: Iterable[int]) -> str:
        names = _WEEKDAYS[self._column]
        ordered = sorted(days)
        if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
            return f"{names[ordered[0]]} – {names[ordered[-1]]}"
        return ", ".join(names[day] for day in ordered)

    def keywords(self, words: Words | None) -> str:
        """Keywords as they were written, and how they are looked for where that is unusual."""
        if words is None:
            return ""
        listed = ", ".join(words.words) or self("every")
        how = f"{self(_MODES[words.match])} " if words.match in _MODES and words.words else ""
        without = f" ({self('but_not')} {', '.join(words.but_not)})" if words.but_not else ""
        return f"{how}{listed}{without}"


def plain(text: Text) -> str:
    """A text with its variables as they are written, without their stand-ins."""
    return "".join(part if isinstance(part, str) else _written(part) for part in text.parts)


def _written(variable: Variable) -> str:
    return f"{{{variable.name}}}"


def phrases() -> Mapping[str, tuple[str, str, str, str]]:
    return _PHRASES
