"""The words of a mail as plain text: complete by themselves, and what stands in when there are no templates."""

from datetime import datetime

from babel.dates import format_date, format_time

from central.booking.rules import shown_locator
from central.notices.delivery import MailText
from central.notices.letters import Letter, LetterKind
from central.offices.catalogue import Catalogue

_SUBJECT: dict[LetterKind, dict[str, str]] = {
    "confirmed": {
        "es": "Su cita del {when}",
        "en": "Your appointment on {when}",
        "fr": "Votre rendez-vous du {when}",
        "ar": "موعدك يوم {when}",
    },
    "moved": {
        "es": "Su cita ha cambiado: {when}",
        "en": "Your appointment has moved: {when}",
        "fr": "Votre rendez-vous a changé : {when}",
        "ar": "تغيّر موعدك: {when}",
    },
    "cancelled": {
        "es": "Su cita del {when} está anulada",
        "en": "Your appointment on {when} is cancelled",
        "fr": "Votre rendez-vous du {when} est annulé",
        "ar": "أُلغي موعدك يوم {when}",
    },
}
_LABELS = {
    "es": ("Localizador", "Dónde", "Traiga", "Ver, cambiar o anular la cita", "La cita es gratuita."),
    "en": ("Code", "Where", "Bring", "See, change or cancel the appointment", "The appointment is free of charge."),
    "fr": ("Code", "Où", "Apportez", "Voir, modifier ou annuler le rendez-vous", "Le rendez-vous est gratuit."),
    "ar": ("الرمز", "المكان", "أحضر معك", "عرض الموعد أو تغييره أو إلغاؤه", "الموعد مجاني."),
}


def plain_mail(letter: Letter, catalogue: Catalogue, public_url: str) -> MailText:
    """A letter's subject and text in its language; a sensitive service is not named."""
    office, service = catalogue.offices[letter.office_id], catalogue.services[letter.service_id]
    language = letter.language
    when = _when(letter.slot_start_at.astimezone(office.zone), language)
    locator, where, bring, change, free = _LABELS[language]
    lines = [_SUBJECT[letter.kind][language].format(when=when) + "."]
    if not service.sensitive:
        lines.append(service.names.get(language, service.names["es"]))
    lines += ["", f"{locator}: {shown_locator(letter.locator)}", f"{where}: {office.name}, {office.address}"]
    if letter.kind != "cancelled":
        lines += [f"{bring}:", *(f"- {one.get(language, one['es'])}" for one in service.documents)]
        lines += ["", f"{change}:", f"{public_url}/cita/{letter.link}"]
    return MailText(subject=lines[0].removesuffix("."), text="\n".join([*lines, "", free, ""]))


def _when(local: datetime, language: str) -> str:
    day = format_date(local, "EEEE d MMMM", locale="ar_MA" if language == "ar" else language)
    return f"{day}, {format_time(local, 'HH:mm', locale='es')}"
