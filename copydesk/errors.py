"""One tree of errors: what failed, its subject, and whether trying again can help.

Workers look at the class, never at the message. Every class passes its arguments on to `Exception`, so that it
survives pickling between Celery processes. Foreign exceptions become one of these where they enter the library.
"""

from __future__ import annotations


class CopydeskError(Exception):
    """Something in copydesk failed.

    `subject` names what it failed on (a file, an item id, a setting); `detail` says why, for a person.
    The first line of a class's docstring is its default message.
    """

    retryable = False
    """True when the same call may succeed later with nothing changed by us."""

    def __init__(self, subject: str = "", detail: str = "") -> None:
        super().__init__(subject, detail)
        self.subject = subject
        self.detail = detail

    @property
    def code(self) -> str:
        """The snake_case name that receipts, outcome files and logs carry."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")

    def __str__(self) -> str:
        headline = (type(self).__doc__ or type(self).__name__).splitlines()[0].rstrip(".")
        parts = [headline, self.subject, self.detail]
        return ": ".join(part for part in parts if part)


class SettingsError(CopydeskError):
    """The settings are not usable."""


class LexiconError(CopydeskError):
    """A rule file is wrong."""


class UsageError(CopydeskError):
    """The command cannot be carried out as it was given."""


# --- bad input: recorded as `rejected`, never retried ---------------------------------------------------------


class InputError(CopydeskError):
    """The input cannot become an article."""


class EmptyInput(InputError):
    """The input is empty."""


class BinaryInput(InputError):
    """The input is binary, not text."""


class InputTooLarge(InputError):
    """The input is larger than the limit."""


class UnknownFormat(InputError):
    """No format matches the input."""


class MalformedInput(InputError):
    """The input is damaged beyond what its parser can read."""


class PageNotFetched(InputError):
    """It only names what is to be fetched."""


class LimitExceeded(InputError):
    """Reading it took more time or memory than one input may."""


class InvalidJob(InputError):
    """The job does not follow the published schema."""


class InvalidQuery(InputError):
    """A search that asks for nothing, or for too much."""


class UnreadableMessage(InvalidJob):
    """What lies on the queue is no message."""


class UnsupportedJobVersion(InvalidJob):
    """The job is of a version that this copydesk does not speak."""


class ItemConflict(InputError):
    """The item id was used before with another body."""


class MissingInput(InputError):
    """The input that the job refers to is not there."""


# --- dependencies: retried with a back-off, never counted against the item ------------------------------------


class DependencyError(CopydeskError):
    """A service that copydesk depends on did not do its part."""

    retryable = True

    dependency = "a dependency"
    """Its name, for whoever asks what a process waits for."""


class QueueUnavailable(DependencyError):
    """Redis did not answer or refused the command."""

    dependency = "redis"


class QueueNotTrusted(QueueUnavailable):
    """Redis did not prove by TLS that it is the server that the settings name."""


class QueueFull(QueueUnavailable):
    """Redis has no memory left for more."""


class IndexIncomplete(DependencyError):
    """The likeness index lacks what Postgres has, and is being loaded."""


class DatabaseUnavailable(DependencyError):
    """Postgres did not answer or refused the statement."""

    dependency = "postgres"


class DatabaseNotTrusted(DatabaseUnavailable):
    """Postgres did not prove by TLS that it is the server that the settings name."""


class SpoolUnavailable(DependencyError):
    """The disk that holds the input did not do its part."""

    dependency = "disk"


# --- fetching: graded by how soon it is worth asking again ------------------------------------------------------


class FetchError(CopydeskError):
    """It was not fetched.

    `retry_after_s` is how long the server asks to be left alone, `status` its HTTP status, where it gave one.
    """

    def __init__(
        self, subject: str = "", detail: str = "", retry_after_s: float = 0.0, status: int | None = None
    ) -> None:
        super().__init__(subject, detail)
        self.args = (subject, detail, retry_after_s, status)
        self.retry_after_s = retry_after_s
        self.status = status


class FetchTemporary(FetchError):
    """The server did not answer as it should just now."""


class HostBusy(FetchTemporary):
    """Others are asking this host just now; nothing was asked."""


class FetchSoft(FetchError):
    """The server's answer is of no use, and may be again some day."""


class FetchHard(FetchError):
    """There is nothing at this address any more, or it may not be fetched."""


class RobotsDenied(FetchHard):
    """The host's robots.txt asks us not to fetch it."""


class AddressRefused(FetchHard):
    """The address is not one that may be fetched."""


# --- our own faults on one item: recorded as `dead`, replayable -----------------------------------------------


class RowRefused(CopydeskError):
    """Postgres refuses this row whatever the state of the server."""


class ProcessingError(CopydeskError):
    """Our own code failed on this item."""


class SketchUnreadable(CopydeskError):
    """The sketch is of a version that this copydesk does not read, or damaged."""


class SchemaMismatch(CopydeskError):
    """The database has another schema than this copydesk."""


class ServerStartError(CopydeskError):
    """An embedded server or a service did not start."""
