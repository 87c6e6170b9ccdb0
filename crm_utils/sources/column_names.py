"""The names that columns have in many systems and languages, and which standard column each of them is."""

import re

NAMES = {  # in the order in which columns are assigned; earlier names are better matches
    "ordered_at": (
        "order date, ordered at, order time, invoice date, purchase date, transaction date, sale date, "
        "order timestamp, created at, date, datetime, timestamp, day, bestelldatum, rechnungsdatum, kaufdatum, datum, "
        "date commande, fecha, 注文日, 売上日, 購入日, 日付, дата заказа, дата продажи, дата, sipariş tarihi, tarih, "
        "data ordine, data vendita, data zamówienia, besteldatum, data"
    ),
    "customer_id": (
        "customer id, customer number, customer no, cust id, cid, client id, user id, member id, buyer id, shopper id, "
        "household id, customer, client, kundennummer, kundennr, kunden id, kunde, user, buyer, member, account, "
        "id client, cliente, email, 顧客id, 顧客番号, 会員番号, 顧客, "
        "код клиента, клиент, покупатель, müşteri no, müşteri, "
        "auftraggeber, codice cliente, klantnummer, klant, numer klienta, klient"
    ),
    "order_id": (
        "order id, order number, order no, invoice, invoice id, invoice number, invoice no, receipt id, receipt, "
        "basket id, transaction id, transaction, order, bestellnummer, bestellnr, rechnungsnummer, rechnungsnr, "
        "belegnummer, beleg, pedido, numero commande, n commande, commande, 注文番号, 注文id, 伝票番号, "
        "номер заказа, заказ, "
        "sipariş no, sipariş, auftragsnummer, auftrag, "
        "numero ordine, scontrino, bestelnummer, ordernummer, numer zamówienia, nr zamówienia"
    ),
    "product_id": (
        "product id, product code, sku, stock code, item id, item number, article number, article id, artikelnummer, "
        "artikelnr, upc, ean, product, item, article, artikel"
    ),
    "description": "description, product name, item name, product title, bezeichnung, artikelbezeichnung, beschreibung",
    "quantity": (
        "quantity, qty, order quantity, ordered quantity, quantity ordered, order qty, qty ordered, "
        "units, number of items, item count, pieces, menge, anzahl, stuck, stk, quantite, qte, "
        "cantidad, unidades, number of, quantità, aantal, ilość"
    ),
    "unit_price": (
        "unit price, price per unit, item price, price each, einzelpreis, stuckpreis, price, preis, prix, precio, "
        "prezzo unitario, prezzo, stukprijs, prijs, cena"
    ),
    "unit_cost": "unit cost, cost price, cost per unit, purchase price, einkaufspreis, cost",
    "amount": (
        "line total, line amount, line price, extended price, sales amount, net amount, amount, revenue, net sales, "
        "sales, total price, order value, total amount, precio total, prix total, montant total, importe total, "
        "dollar value, total, value, betrag, umsatz, gesamtpreis, summe, montant, importe, turnover, spend, 金額, "
        "合計, 売上, сумма заказа, сумма, итого, tutar, toplam tutar, "
        "nettowert, importo, totale, totaalbedrag, bedrag, wartość, kwota"
    ),
    "country": (
        "country, customer country, ship country, shipping country, billing country, land, pays, pais, country code"
    ),
}
EXCLUDING_WORDS = {  # words that change the meaning of a name: an order status is not an order id
    "ordered_at": (
        "birth birthday ship shipping delivery delivery_rate due expiry registered registration signup updated modified"
    ),
    "customer_id": "type group category segment status class tier since city state region country zip age gender",
    "order_id": (
        "status type priority channel method source state mode line lines item items count quantity amount total value"
    ),
    "product_id": "category type group class line brand status",
    "quantity": "stock order orders",
    "unit_price": "total line extended sum gesamt subtotal order shipping freight discount",
    "unit_cost": "total shipping ship freight delivery",
    "amount": "tax vat discount shipping freight refund refunded refunds fee fees",
}
UNIT_WORDS = {
    "unit",
    "per",
    "each",
    "einzelpreis",
    "stuckpreis",
    "unitaire",
    "unitario",
}  # words in names of a price per unit


def find_named_column(free: list[str], standard: str) -> str | None:
    """Return the column that is named like a standard column, else one that contains all words of such a name.

    Names that come earlier in NAMES are preferred.
    """
    names, others = (
        [plain_words(name) for name in NAMES[standard].split(",")],
        set(EXCLUDING_WORDS.get(standard, "").split()),
    )
    plain = {column: plain_words(column) for column in free}
    for name in names:
        same = [
            column for column, text in plain.items() if text == name or text.replace(" ", "") == name.replace(" ", "")
        ]
        if same:
            return same[0]
    for name in names:
        containing = [column for column, text in plain.items() if set(name.split()) <= set(text.split())]
        containing = [column for column in containing if not (set(plain[column].split()) - set(name.split())) & others]
        if containing:
            return containing[0]
    return None


def plain_words(name: str) -> str:
    """The words of a name, in lower case and without accents and marks."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = words.casefold().translate(str.maketrans("äöüéèáóíñ", "aoueeaoin"))
    return " ".join(re.findall(r"[^\W\d_]+|\d+", words))
