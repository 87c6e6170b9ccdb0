"""What the words of order statuses mean: the order counts, was refunded, or is no sale."""

import re
import unicodedata
from enum import StrEnum

PREFIXES = ("wc ", "order ", "payment ", "fulfillment ", "fulfilment ")


class StatusGroup(StrEnum):
    """What an order with a status does to revenue."""

    COUNT = "count"
    REFUND = "refund"
    IGNORE = "ignore"


# Phrases of WooCommerce, Shopify, Stripe, Magento, Amazon, Square, PayPal and eBay, then of other languages:
# German, French, Spanish, Portuguese and Turkish. Written as `plain_words` leaves them.
PHRASES = {
    StatusGroup.COUNT: (
        "completed, complete, paid, processing, shipped, delivered, fulfilled, succeeded, successful, success, "
        "settled, captured, invoiced, dispatched, sent, received, picked up, partially shipped, partially fulfilled, "
        "partially paid, ready to ship, ready for pickup, sale, sold, done, finished, approved, confirmed, ok, "
        "abgeschlossen, bezahlt, versandt, versendet, verschickt, geliefert, ausgeliefert, zugestellt, in "
        "bearbeitung, erledigt, erfolgreich, komplett, terminee, termine, payee, paye, expediee, expedie, livree, "
        "livre, en cours de traitement, validee, valide, completado, completada, pagado, pagada, enviado, enviada, "
        "entregado, entregada, procesando, en proceso, finalizado, concluido, concluida, pago, paga, entregue, "
        "processando, em processamento, aprovado, tamamlandi, odendi, kargolandi, kargoya verildi, gonderildi, teslim "
        "edildi, hazirlaniyor, isleniyor, onaylandi, pagato, completato, spedito, consegnato, evaso, in lavorazione, "
        "voltooid, betaald, verzonden, geleverd, in behandeling, zrealizowane, oplacone, wyslane, dostarczone"
    ),
    StatusGroup.REFUND: (
        "refunded, refund, fully refunded, partially refunded, reversed, chargeback, charged back, disputed, "
        "returned, zuruckerstattet, erstattet, ruckerstattet, teilweise erstattet, teilweise zuruckgezahlt, "
        "zuruckgezahlt, retourniert, retoure, gutschrift, rembourse, remboursee, partiellement rembourse, retourne, "
        "retournee, reembolsado, reembolsada, reembolso, parcialmente reembolsado, parcialmente reembolsada, "
        "devuelto, devuelta, devolvido, devolvida, estornado, iade, iade edildi, kismen iade edildi, geri odendi, "
        "rimborsato, reso, terugbetaald, geretourneerd, zwrocone"
    ),
    StatusGroup.IGNORE: (
        "cancelled, canceled, cancelled by customer, voided, void, failed, declined, rejected, expired, pending, "
        "pending payment, awaiting payment, unpaid, on hold, holded, hold, draft, checkout draft, auto draft, "
        "abandoned, open, incomplete, requires payment method, requires action, requires capture, payment review, "
        "suspected fraud, fraud, test, test order, trash, deleted, new, authorized, unfulfilled, waiting, storniert, "
        "abgebrochen, zahlung ausstehend, ausstehend, offen, wartend, in wartestellung, unbezahlt, testbestellung, "
        "fehlgeschlagen, abgelehnt, entwurf, annule, annulee, en attente, en attente de paiement, echoue, echouee, "
        "refuse, refusee, brouillon, impaye, cancelado, cancelada, pendiente, pendiente de pago, fallido, fallida, "
        "rechazado, rechazada, en espera, borrador, impago, pendente, aguardando pagamento, recusado, recusada, "
        "falhou, rascunho, expirado, iptal, iptal edildi, beklemede, odeme bekleniyor, basarisiz, reddedildi, taslak, "
        "annullato, in attesa, fallito, bozza, geannuleerd, mislukt, wachtend, concept, anulowane, nowe, nieoplacone"
    ),
}
KNOWN = {group: set(phrases.split(", ")) for group, phrases in PHRASES.items()}


def status_group(value: str) -> StatusGroup | None:
    """What a status means.

    Parameters
    ----------
    value : str
        A status as the export writes it, for example 'wc-completed' or 'Zahlung ausstehend'.

    Returns
    -------
    StatusGroup or None
        None if the words are not known, for example 'closed', which means different things in different shops.
    """
    plain = plain_words(value)
    for prefix in PREFIXES:
        plain = plain.removeprefix(prefix) if plain != prefix.strip() else plain
    for group, phrases in KNOWN.items():
        if plain in phrases:
            return group
    return None


def plain_words(value: str) -> str:
    """The words of a status or a heading: in lower case, without accents and marks."""
    letters = (
        unicodedata.normalize("NFKD", value.replace("ı", "i").replace("ł", "l")).encode("ascii", "ignore").decode()
    )
    return " ".join(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", letters).lower()))
