"""The polite HTTP client: the only outbound network of the library. It fetches; what is worth fetching is not here."""

from copydesk.fetching.client import Client, Limits
from copydesk.fetching.values import Fetched, Validators

__all__ = ["Client", "Fetched", "Limits", "Validators"]
