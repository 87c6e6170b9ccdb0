"""The source of a new report that is a database."""

from crm_utils.config import Source, parse_model
from crm_utils.core.errors import ParamsError


def database_source(url: str, table: str | None, query: str | None) -> Source:
    """Return the source for an address and a table or a query.

    Parameters
    ----------
    url : str
        The database's address. Its password is the name of an environment variable: `${SHOP_PASSWORD}`.
    table, query : str or None
        Exactly one of them.

    Returns
    -------
    Source
        It keeps the name of the variable, not the password.

    Raises
    ------
    ParamsError
        If the address contains a password, or not exactly one of table and query is given.
    """
    if bool(table) == bool(query):
        raise ParamsError("give the table or a query of the database: TABLE=orders or QUERY='select … from …'")
    return parse_model({"database": url, "table": table, "query": query}, Source, "URL=")
