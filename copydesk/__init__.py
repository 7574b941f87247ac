"""copydesk: takes news text in, strips what is not the story, and loses nothing on the way to Postgres."""

from importlib.metadata import version

__version__ = version("copydesk")
